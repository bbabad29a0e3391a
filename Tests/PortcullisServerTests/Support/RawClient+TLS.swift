// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The same client with TLS: one direction at a time, because two threads cannot share a session.
extension RawClient {
    /// The connection ended without a closure alert.
    static let truncated = Failure(call: "truncated", code: 0)

    var isSecured: Bool { secured.withLock { $0 != nil } }

    /// Shakes hands.
    ///
    /// - Throws: The error that ended the handshake.
    func secure(_ context: TLSContext, as name: String = "localhost") async throws {
        try secured.withLock {
            $0 = try SocketStream(descriptor: descriptor, client: context, server: .name(name))
        }
        let failure: Failure? = await onReadQueue { [self] in
            var result = IOResult.wouldBlock([])
            while result == .wouldBlock([]) { result = secured.withLock { $0?.handshake() ?? .closed } }
            return result == .bytes(0) ? nil : Failure(call: "handshake: \(result)", code: 0)
        }
        if let failure { throw failure }
    }

    /// Sends a closure alert, and leaves the socket open.
    func sendClosureAlert() async {
        await onReadQueue { [self] in secured.withLock { $0?.shutDown() } }
    }

    func sendSecured(_ bytes: [UInt8]) async -> Int {
        await onReadQueue { [self] in
            var done = 0
            while done < bytes.count {
                let rest = bytes[done...]
                let result = secured.withLock { stream in
                    rest.withUnsafeBytes { stream?.write($0) ?? .closed }
                }
                guard case .bytes(let count) = result, count > 0 else { return done }
                done += count
            }
            return done
        }
    }

    func receiveSecured() throws(Failure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var result = IOResult.bytes(0)
        while result == .bytes(0) {
            result = secured.withLock { stream in
                buffer.withUnsafeMutableBytes { stream?.read(into: $0) ?? .closed }
            }
        }
        switch result {
        case .bytes(let count): return Array(buffer[..<count])
        case .closed: return []
        case .wouldBlock: throw Failure(call: "recv", code: EAGAIN)
        case .failed(.tls(.truncated)): throw Self.truncated
        case .failed(let error): throw Failure(call: "\(error)", code: ECONNRESET)
        }
    }
}
