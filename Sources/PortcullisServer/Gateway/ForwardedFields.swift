// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

/// `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto` for the other server.
///
/// The only family that is sent. What the client sent is not passed on, unless a trusted proxy vouches for
/// it. RFC 7239 §8.1.
enum ForwardedFields {
    private static let xForwardedFor: FieldName = "X-Forwarded-For"

    /// Appends the fields: first the addresses that the request passed, the client's first.
    static func append(_ request: Request, isEncrypted: Bool, to output: inout [UInt8]) {
        output.append("X-Forwarded-For: ")
        let forwarding = request.forwarding
        for address in forwarding.map({ earlier(request, $0) }) ?? [] {
            output.append(text: address)
            if !request.peer.isUnix { output.append(", ") }
        }
        if !request.peer.isUnix {
            request.peer.appendHost(to: &output)
        } else if forwarding == nil {
            output.append("unknown")
        }
        output.append("\r\n")
        appendHost(request, to: &output)
        output.append("X-Forwarded-Proto: ")
        output.append(text: forwarding?.scheme ?? (isEncrypted ? "https" : "http"))
        output.append("\r\n")
    }

    /// The addresses that trusted proxies name, as one text each.
    private static func earlier(_ request: Request, _ forwarding: Forwarding) -> [String] {
        guard forwarding.family == .xForwarded else { return [forwarding.client] }
        let listed = request.fields.values(of: xForwardedFor).filter { !$0.isEmpty }
        return [listed.isEmpty ? forwarding.client : listed.joined(separator: ", ")]
    }

    private static func appendHost(_ request: Request, to output: inout [UInt8]) {
        if let host = request.forwarding?.host {
            output.append("X-Forwarded-Host: ")
            output.append(text: host)
            output.append("\r\n")
        } else if let range = authority(of: request.head) {
            output.append("X-Forwarded-Host: ")
            output.append(request.head.bytes, range)
            output.append("\r\n")
        }
    }

    /// The authority that the client named; both places have been checked.
    private static func authority(of head: RequestHead) -> Range<Int>? {
        // The usual form has none.
        if head.bytes[head.targetRange.lowerBound] == 0x2F { return head.find(.host)?.first }
        guard let target = try? RequestTarget(head) else { return nil }
        return target.authority ?? head.find(.host)?.first
    }
}
