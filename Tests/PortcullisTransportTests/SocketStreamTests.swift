// SPDX-License-Identifier: MIT

import CPlatform
import PortcullisTransport
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Whether the process has got SIGPIPE since the handler was set.
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

    @Test func `buffers leave in one write, and what is not there would block`() {
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

    @Test func `the peer's end is an end`() {
        let (ours, theirs) = Self.pair()
        _ = closeDescriptor(theirs)
        #expect(Self.read(SocketStream(plain: ours)).0 == .closed)
        _ = closeDescriptor(ours)
    }

    @Test func `writing to a peer that is gone is an error and no SIGPIPE, with TLS and without`() throws {
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
}
