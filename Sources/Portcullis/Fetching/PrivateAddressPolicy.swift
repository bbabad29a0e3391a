// SPDX-License-Identifier: MIT

import PortcullisTransport

/// Whether an issuer's keys, metadata and introspection may be fetched from private addresses.
///
/// Private are all addresses that `AddressPolicy.publicOnly` excludes: loopback, private networks, link-local
/// and other special-purpose blocks. Checks the address of the actual connection, so a name that resolves to
/// another address later changes nothing. Does not check what an outgoing proxy connects to, except for names
/// that this machine can look up. Applies to the package's own HTTP client; a fetcher of the host program
/// decides itself.
///
/// RFC 9728 §7.7, RFC 8725 §3.10.
public enum PrivateAddressPolicy: String, Sendable, Hashable, CaseIterable {
    /// A URL from the issuer's metadata may lead to a private address only if the issuer's own host has one.
    ///
    /// The issuer's own host, and URLs that the operator has configured, may be anywhere.
    case same
    /// Every URL may lead to a private address.
    case allow
    /// No URL may lead to a private address, not even a configured one.
    case refuse
}

/// Decides for each URL of one issuer whether it may lead to a private address.
struct AddressRule: Sendable {
    let policy: PrivateAddressPolicy
    /// The issuer, whose host may be private.
    let issuer: String
    /// The URLs that the operator has configured.
    let configuredURLs: [String]
    /// The origins of further URLs that the operator trusts as those.
    var configuredOrigins: [HTTPURL] = []

    private let host: String?

    init(_ policy: PrivateAddressPolicy, issuer: String, configuredURLs: [String] = []) {
        self.policy = policy
        self.issuer = issuer
        self.configuredURLs = configuredURLs
        host = try? HTTPURL(issuer).host
    }

    /// The rule for URLs that are all configured.
    static let any = AddressRule(.allow, issuer: "")

    /// Whether a URL must lead to a public address, unless the issuer's own host is private.
    func mistrusts(_ url: String) -> Bool {
        guard policy == .same, !configuredURLs.contains(where: { $0.utf8.elementsEqual(url.utf8) }) else {
            return false
        }
        guard let url = try? HTTPURL(url) else { return true }
        return url.host != host && !configuredOrigins.contains { $0.hasOrigin(of: url) }
    }
}
