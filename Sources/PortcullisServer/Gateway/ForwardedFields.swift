// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto` for the other server.
///
/// The only family that is sent. What the client sent is not passed on, unless a trusted proxy vouches for
/// it. RFC 7239 §8.1.
struct ForwardedFields {
    /// The addresses that the request passed, the client's first.
    let addresses: [String]
    let host: String?
    let scheme: String

    init(_ request: Request, isEncrypted: Bool) {
        let peer = request.peer.isUnix ? nil : request.peer.host
        if let forwarding = request.forwarding {
            addresses = Self.earlier(request, forwarding) + (peer.map { [$0] } ?? [])
        } else {
            addresses = [peer ?? "unknown"]
        }
        host = request.forwarding?.host ?? Self.host(of: request.head)
        scheme = request.forwarding?.scheme ?? (isEncrypted ? "https" : "http")
    }

    private static let xForwardedFor: FieldName = "X-Forwarded-For"

    /// The addresses that trusted proxies name.
    private static func earlier(_ request: Request, _ forwarding: Forwarding) -> [String] {
        guard forwarding.family == .xForwarded else { return [forwarding.client] }
        let listed = request.fields.values(of: xForwardedFor).filter { !$0.isEmpty }
        return listed.isEmpty ? [forwarding.client] : listed
    }

    /// The authority that the client named; both places have been checked.
    private static func host(of head: RequestHead) -> String? {
        guard let target = try? RequestTarget(head) else { return nil }
        return target.authority.map { head.text($0) } ?? head.fields[.host]
    }

    func append(to output: inout [UInt8]) {
        output.append("X-Forwarded-For: ")
        output += addresses.joined(separator: ", ").utf8
        if let host {
            output.append("\r\nX-Forwarded-Host: ")
            output += host.utf8
        }
        output.append("\r\nX-Forwarded-Proto: ")
        output += scheme.utf8
        output.append("\r\n")
    }
}
