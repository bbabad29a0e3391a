// SPDX-License-Identifier: MIT

import CPlatform
import Dispatch
import PortcullisTransport
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Whether the process has received SIGPIPE since the handler was set.
private let brokenPipe = Atomic<Bool>(false)

@Suite("Socket streams", .serialized)
struct SocketStreamTests {
    private static func pair() -> (ours: Int32, theirs: Int32) {
        var pair: [Int32] = [0, 0]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
        _ = fcntl(pair[0], F_SETFL, O_NONBLOCK)
        return (pair[0], pair[1])
    }

    private static func read(_ stream: SocketStream) -> (IOResult, [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 100)
        let result = buffer.withUnsafeMutableBytes { stream.read(into: $0) }
        guard case .bytes(let count) = result else { return (result, []) }
        return (result, Array(buffer[..<count]))
    }

    @Test func `buffers are sent in one write, and reading without data would block`() {
        let (ours, theirs) = Self.pair()
        defer { for descriptor in [ours, theirs] { _ = closeDescriptor(descriptor) } }
        let (stream, other) = (SocketStream(plain: ours), SocketStream(plain: theirs))
        #expect(stream.handshake() == .bytes(0))
        #expect(!stream.isEncrypted)
        #expect(Self.read(stream).0 == .wouldBlock(.readable))
        var (head, body) = (Array("head".utf8), Array("body".utf8))
        let result = head.withUnsafeMutableBytes { head in
            body.withUnsafeMutableBytes { body in
                let buffers = [
                    iovec(iov_base: head.baseAddress, iov_len: head.count),
                    iovec(iov_base: body.baseAddress, iov_len: body.count),
                ]
                return buffers.withUnsafeBufferPointer { stream.write($0) }
            }
        }
        #expect(result == .bytes(8))
        #expect(Self.read(other).1 == Array("headbody".utf8))
    }

    @Test func `a full socket would block`() {
        let (ours, theirs) = Self.pair()
        defer { for descriptor in [ours, theirs] { _ = closeDescriptor(descriptor) } }
        let stream = SocketStream(plain: ours)
        let bytes = [UInt8](repeating: 0, count: 100_000)
        var result = IOResult.bytes(0)
        while case .bytes = result { result = bytes.withUnsafeBytes { stream.write($0) } }
        #expect(result == .wouldBlock(.writable))
    }

    @Test func `the peer's end is reported as the end`() {
        let (ours, theirs) = Self.pair()
        _ = closeDescriptor(theirs)
        #expect(Self.read(SocketStream(plain: ours)).0 == .closed)
        _ = closeDescriptor(ours)
    }

    @Test func `writing to a disconnected peer is an error and no SIGPIPE, with TLS and without`() throws {
        let previous = signal(SIGPIPE) { _ in brokenPipe.store(true, ordering: .relaxed) }
        defer { signal(SIGPIPE, previous) }
        let (ours, theirs) = Self.pair()
        _ = closeDescriptor(theirs)
        defer { _ = closeDescriptor(ours) }
        let result = Array("x".utf8).withUnsafeBytes { SocketStream(plain: ours).write($0) }
        #expect(result == .failed(.socket(SocketError(call: .send, code: EPIPE))))
        let context = try TLSContext(clientTrusting: .system)
        let stream = try SocketStream(descriptor: ours, client: context, server: .name("localhost"))
        #expect(stream.isEncrypted)
        #expect(stream.handshake() == .failed(.tls(.system(EPIPE))))
        let wasRaised = brokenPipe.load(ordering: .relaxed)
        #expect(!wasRaised)
    }
    @Test(.enabled(if: OpenFile.canSendDirectly))
    func `a file whose receiver disconnects halfway raises no SIGPIPE, although a part was sent`() throws {
        let previous = signal(SIGPIPE) { _ in brokenPipe.store(true, ordering: .relaxed) }
        defer { signal(SIGPIPE, previous) }
        var name = Array("/tmp/portcullis-file-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        unlink(name)
        #expect(ftruncate(descriptor, 32 << 20) == 0)
        let file = try OpenFile(taking: descriptor)
        let (ours, theirs) = try Self.halfClosedPair()
        defer { _ = closeDescriptor(ours) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.05) { _ = closeDescriptor(theirs) }
        let sent = file.send(0..<file.byteCount, to: ours)
        #expect(sent > 0 && sent < file.byteCount)
        let wasRaised = brokenPipe.load(ordering: .relaxed)
        #expect(!wasRaised)
    }

    /// Both ends of a TCP connection; the first one blocks when it writes, the second has half-closed.
    private static func halfClosedPair() throws -> (ours: Int32, theirs: Int32) {
        let listening = try ListeningSockets(host: "127.0.0.1", port: 0, count: 1)
        defer { for descriptor in listening.descriptors { _ = closeDescriptor(descriptor) } }
        let resolved = try SocketAddress.resolve(host: "127.0.0.1", port: listening.address.port)
        let address = try #require(resolved.first)
        let theirs = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(address.withSockAddr { connect(theirs, $0, $1) } == 0)
        let ours = accept(listening.descriptors[0], nil, nil)
        try #require(ours >= 0)
        shutdown(theirs, Int32(SHUT_WR))
        return (ours, theirs)
    }
}
