// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Asks a proxy for a tunnel to an origin, over a connected socket.
///
/// RFC 9110 §9.3.6.
struct ProxyTunnel {
    enum Progress {
        case wouldBlock(Readiness)
        /// The bytes that follow are those of the origin.
        case open
        case failed(ProxyFault)
    }

    /// The longest answer to CONNECT, in bytes: its heads, interim ones included.
    static let maximumAnswerByteCount = 16_384

    private let request: [UInt8]
    private var sentByteCount = 0
    private var answer: [UInt8] = []
    // A successful answer to CONNECT has no body, whatever its fields say: as with HEAD.
    private var parser = ResponseHeadParser(
        requestMethod: .head, limits: WireLimits(maxHeaderByteCount: maximumAnswerByteCount))

    init(to origin: Origin, through proxy: OutboundProxy, userAgent: String?) {
        request = proxy.connectRequest(to: origin, userAgent: userAgent)
    }

    /// Writes and reads until the socket would block, or the proxy has answered.
    ///
    /// - Parameter buffer: Where it reads into; larger than the longest answer is not needed.
    mutating func advance(_ stream: SocketStream, _ buffer: UnsafeMutableRawBufferPointer) -> Progress {
        while sentByteCount < request.count {
            let result = request.withUnsafeBytes {
                stream.write(UnsafeRawBufferPointer(rebasing: $0[sentByteCount...]))
            }
            switch result {
            case .bytes(let count): sentByteCount += count
            case .wouldBlock(let wanted): return .wouldBlock(wanted)
            case .closed, .failed: return .failed(.closed)
            }
        }
        while true {
            switch stream.read(into: buffer) {
            case .bytes(let count):
                answer += UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if let outcome = judge() { return outcome }
            case .wouldBlock(let wanted): return .wouldBlock(wanted)
            case .closed, .failed: return .failed(.closed)
            }
        }
    }

    private mutating func judge() -> Progress? {
        guard answer.count <= Self.maximumAnswerByteCount else { return .failed(.malformedAnswer) }
        let bytes = answer
        return bytes.withUnsafeBytes { judge($0) }
    }

    private mutating func judge(_ bytes: UnsafeRawBufferPointer) -> Progress? {
        do throws(MalformedMessage) {
            guard let (head, consumed) = try parser.parse(bytes) else { return nil }
            guard (200..<300).contains(head.status.code) else { return .failed(.status(head.status.code)) }
            // The client speaks first in TLS: bytes that are here already would be the proxy's own.
            return consumed == bytes.count ? .open : .failed(.malformedAnswer)
        } catch {
            return .failed(.malformedAnswer)
        }
    }
}
