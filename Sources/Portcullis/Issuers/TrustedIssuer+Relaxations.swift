// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension TrustedIssuer {
    /// The settings that accept more than their defaults, by their names in the issuer's entry.
    package var relaxations: [Relaxation] {
        var relaxations: [Relaxation] = []
        func add(_ holds: Bool, _ name: String, _ sentence: String) {
            if holds { relaxations.append(Relaxation(name: name, sentence: "\(issuer): " + sentence)) }
        }
        if let audienceSource {
            relaxations.append(
                Relaxation(
                    name: "audience_from",
                    sentence: "Tokens of \(issuer) without aud are accepted by the value of "
                        + "\(audienceSource.pointer): " + Self.audienceConsequence))
        }
        let isPlain = issuer.hasPrefix("http:")
        if allowsInsecureLoopback, isPlain || mayCallPlainly {
            relaxations.append(
                Relaxation(
                    name: "allow_insecure_loopback",
                    sentence: isPlain
                        ? "\(issuer) is an http URL: a program on this machine that takes its port can issue tokens."
                        : "An endpoint of \(issuer) on this machine is accepted if it is an http URL: a program that "
                            + "takes its port can issue tokens."))
        }
        add(
            algorithms?.contains(where: \.isPolymorphic) ?? false, "algorithms",
            Relaxation.polymorphicConsequence)
        let roles = (claims.scopes ?? []).map(\.text).filter { pointer in
            !Relaxation.claimsOfGrantedScopes.contains { pointer == "/" + $0 }
        }
        add(!roles.isEmpty, "claims.scopes", Relaxation.rolesConsequence(roles))
        add(privateAddresses == .allow, "private_addresses", Self.privateAddressConsequence)
        add(
            statusLists.failsOpen && statusLists.use != .off, "status_list.fail_open",
            Self.failOpenConsequence)
        return relaxations
    }

    /// Whether the URL of an endpoint is, or may turn out to be, an http URL, where these are allowed.
    private var mayCallPlainly: Bool {
        switch keys {
        case .discovered?: return true
        case .remote(let url)? where url.hasPrefix("http:"): return true
        default: break
        }
        guard let introspection else { return false }
        return introspection.endpoint?.hasPrefix("http:") ?? true
    }

    /// What follows from ``audienceSource``.
    package static let audienceConsequence =
        "what these clients got for another API of the issuer works here too (RFC 8707 §2)."

    /// What follows from ``StatusListPolicy/failsOpen``.
    package static let failOpenConsequence =
        "Tokens are accepted while their status list is unavailable: an attacker who blocks the list keeps "
        + "withdrawn tokens good until they expire."

    /// What follows from ``PrivateAddressPolicy/allow``.
    package static let privateAddressConsequence =
        "Keys and metadata are fetched from private addresses too: whoever can change an issuer's metadata makes "
        + "this server call services of its own network (RFC 9728 §7.7)."
}
