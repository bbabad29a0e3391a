// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// Refuses the requests of web pages that have no business here, so that a rebound host name opens nothing.
///
/// MCP transports 2025-11-25, "Security Warning". RFC 6454 §7.
struct OriginCheck: Sendable, Hashable {
    let allowed: [String]

    /// Takes origins as browsers write them, and reports those that no browser would send.
    init(
        _ origins: [String], of resource: ResourceIdentifier, at path: String,
        _ problems: inout [ConfigurationError.Problem]
    ) {
        for (index, origin) in origins.enumerated() where Self.canonical(origin) != origin {
            problems.append(
                .init(
                    path: "\(path)[\(index)]",
                    "An origin is a scheme and a host in lower case, and a port that is not the scheme's own: "
                        + "https://app.example.com; an MCP server names each of them."))
        }
        allowed = origins + [Self.canonical(resource.url)]
    }

    /// - Throws: `forbiddenOrigin` if there is an `Origin` that is not allowed, `null` or two of them; nothing if there is none.
    func judge(_ head: borrowing RequestHead) throws(RefusalReason) {
        guard let (range, count) = head.find(.origin) else { return }
        let isAllowed = allowed.contains { head.bytes[range].elementsEqual($0.utf8) }
        guard count == 1, isAllowed else { throw .forbiddenOrigin }
    }

    private static func canonical(_ origin: String) -> String? {
        guard let url = try? HTTPURL(origin), url.path.isEmpty, url.query == nil, !url.hasFragment else {
            return nil
        }
        // A browser shortens IPv6 addresses; those are taken as they are written.
        return url.host.utf8.first == 0x5B ? origin : canonical(url)
    }

    private static func canonical(_ url: HTTPURL) -> String {
        let isDefault = url.port == (url.scheme == "https" ? 443 : 80)
        return "\(url.scheme)://\(url.host)" + (isDefault ? "" : ":\(url.port)")
    }
}
