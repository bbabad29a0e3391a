// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// Refuses requests from web pages of other origins, as a defense against DNS rebinding.
///
/// MCP transports 2025-11-25, "Security Warning". RFC 6454 §7.
struct OriginCheck: Sendable, Hashable {
    let allowed: [String]

    /// Validates origins in browsers' spelling, and appends a problem for each that no browser would send.
    init(
        _ origins: [String], of resource: ResourceIdentifier, at path: String,
        _ problems: inout [ConfigurationError.Problem]
    ) {
        for (index, origin) in origins.enumerated() where Self.canonical(origin) != origin {
            problems.append(
                .init(
                    path: "\(path)[\(index)]",
                    "An origin is a scheme and a host in lower case, and a port unless it is the default: "
                        + "https://app.example.com; list each origin."))
        }
        allowed = origins + [Self.canonical(resource.url)]
    }

    /// - Throws: `forbiddenOrigin` for an `Origin` that is not allowed, `null` or repeated; a request without
    ///   one passes.
    func judge(_ head: borrowing RequestHead) throws(RefusalReason) {
        guard let (range, count) = head.find(.origin) else { return }
        let isAllowed = allowed.contains { head.bytes[range].elementsEqual($0.utf8) }
        guard count == 1, isAllowed else { throw .forbiddenOrigin }
    }

    private static func canonical(_ origin: String) -> String? {
        guard let url = try? HTTPURL(origin), url.path.isEmpty, url.query == nil, !url.hasFragment else {
            return nil
        }
        // Browsers shorten IPv6 addresses; these are kept as written.
        return url.host.utf8.first == 0x5B ? origin : canonical(url)
    }

    private static func canonical(_ url: HTTPURL) -> String {
        let isDefault = url.port == (url.scheme == "https" ? 443 : 80)
        return "\(url.scheme)://\(url.host)" + (isDefault ? "" : ":\(url.port)")
    }
}
