// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension ProtectedResourceMetadata {
    /// The problems of metadata, and warnings about allowed but unwise values.
    package struct Findings: Sendable {
        package var problems: [ConfigurationError.Problem] = []
        package var warnings: [String] = []
    }

    /// Checks every member.
    ///
    /// RFC 9728 §2.
    package func findings(at path: String) -> Findings {
        var findings = Findings()
        checkResource(&findings)
        checkServers(&findings, path)
        checkScopes(&findings, path)
        checkAlgorithms(&findings, path)
        checkPages(&findings, path)
        checkRepetition(&findings, path)
        checkExtensions(&findings, path)
        return findings
    }

    private func checkResource(_ findings: inout Findings) {
        if resource.query != nil {
            findings.warnings.append("The resource identifier has a query, which RFC 9728 §1.2 discourages.")
        }
        if !resource.url.isSecure {
            findings.warnings.append(
                "The resource identifier is an http URL: use it only for development on this machine.")
        }
        let written = resource.text.utf8.prefix(resource.url.authorityEnd)
        if written.contains(where: { (0x41...0x5A).contains($0) }) {
            findings.warnings.append(
                "The resource identifier has upper-case letters in its scheme or host; many clients "
                    + "lower-case them and request another audience."
            )
        }
        if resource.url.writesDefaultPort(in: resource.text) {
            findings.warnings.append(
                "The resource identifier names the scheme's default port, which many clients leave out; they "
                    + "request another audience.")
        }
        let location = resource.metadataURL.utf8
        if location.contains(0x2C)
            || location.contains(0x3D)
                && ["scope=", "error="].contains(where: { location.containsSequence($0.utf8) })
        {
            findings.warnings.append(
                "The resource identifier contains text that some clients misread in a challenge.")
        }
        if resource.text.utf8.last == 0x2F, resource.path.utf8.count > 1 {
            findings.warnings.append("The resource identifier ends in a slash, which some clients drop.")
        }
    }

    private func checkServers(_ findings: inout Findings, _ path: String) {
        if authorizationServers.isEmpty {
            findings.warnings.append(
                "There are no authorization_servers, so clients can't find one (RFC 9728 §2).")
        }
        // Nothing can be said about a plain URL, as nearly all are.
        for (index, issuer) in authorizationServers.enumerated() where !IssuerURL.isPlain(issuer) {
            if let sentence = IssuerURL.objection(to: issuer) {
                findings.problems.append(.init(path: "\(path).authorization_servers[\(index)]", sentence))
            } else if let url = try? HTTPURL(issuer), url.writesDefaultPort(in: issuer) {
                findings.warnings.append(
                    "authorization_servers[\(index)] names the scheme's default port, which many clients leave "
                        + "out; the issuer then differs from its metadata.")
            }
        }
        if let jwksURI { checkKeysURL(jwksURI, &findings, path) }
        if let signedMetadata, signedMetadata.utf8.filter({ $0 == 0x2E }).count != 2 {
            findings.problems.append(
                .init(
                    path: "\(path).signed_metadata",
                    "The value must be a compact JWS: three parts with two dots (RFC 9728 §2.2)."))
        }
    }

    private func checkKeysURL(_ text: String, _ findings: inout Findings, _ path: String) {
        let url = try? HTTPURL(text)
        // Plain http only for a resource that is itself on loopback, for development.
        guard let url, url.isSecure || (url.isLoopback && !resource.url.isSecure) else {
            findings.problems.append(
                .init(
                    path: "\(path).jwks_uri",
                    "The value must be the https URL of the resource's own public keys (RFC 9728 §2)."))
            return
        }
    }

    private func checkScopes(_ findings: inout Findings, _ path: String) {
        for scope in scopesSupported {
            switch scope.name {
            case "*":
                findings.warnings.append(
                    "A scope of * is useless to clients; list the scopes that they may request.")
            case "offline_access":
                findings.warnings.append(
                    "offline_access is between client and authorization server; remove it.")
            case let name where name.utf8.contains(0x2C):
                findings.warnings.append(
                    "A scope contains a comma, at which some clients split the challenge.")
            default:
                break
            }
        }
    }

    private func checkAlgorithms(_ findings: inout Findings, _ path: String) {
        for (index, name) in resourceSigningAlgorithmsSupported.enumerated() where Self.isNone(name) {
            findings.problems.append(
                .init(
                    path: "\(path).resource_signing_alg_values_supported[\(index)]",
                    "The algorithm none is not allowed (RFC 9728 §2)."))
        }
        if !resourceSigningAlgorithmsSupported.isEmpty {
            findings.warnings.append(
                "resource_signing_alg_values_supported promises signed responses, which the app must sign "
                    + "itself."
            )
        }
        for (index, name) in dpopSigningAlgorithmsSupported.enumerated()
        where Self.isNone(name) || ASCII.lowercased(name).hasPrefix("hs") {
            findings.problems.append(
                .init(
                    path: "\(path).dpop_signing_alg_values_supported[\(index)]",
                    "The algorithm of proofs must be asymmetric, neither none nor HMAC (RFC 9449 §5.1)."))
        }
    }

    private static func isNone(_ name: String) -> Bool {
        ASCII.equalIgnoringCase(name, "none")
    }

    private func checkPages(_ findings: inout Findings, _ path: String) {
        check(resourceName, "resource_name", isPage: false, &findings, path)
        check(resourceDocumentation, "resource_documentation", isPage: true, &findings, path)
        check(resourcePolicyURI, "resource_policy_uri", isPage: true, &findings, path)
        check(resourceTermsOfServiceURI, "resource_tos_uri", isPage: true, &findings, path)
    }

    private func check(
        _ value: LocalizedText, _ name: String, isPage: Bool, _ findings: inout Findings, _ path: String
    ) {
        if isPage, let text = value.text, (try? HTTPURL(text)) == nil {
            findings.problems.append(.init(path: "\(path).\(name)", Self.pageMessage))
        }
        var tags: Set<String> = []
        for variant in value.variants {
            let place = "\(path).\(name)#\(variant.tag)"
            if !LanguageTag.isWellFormed(variant.tag) {
                findings.problems.append(
                    .init(path: place, "The text after # must be a language tag (RFC 9728 §2.1)."))
            } else if !tags.insert(ASCII.lowercased(variant.tag)).inserted {
                findings.problems.append(
                    .init(
                        path: place,
                        "This language is given more than once; tags are case-insensitive (RFC 9728 §2.1)."))
            } else if !LanguageTag.hasRegistryCase(variant.tag) {
                findings.warnings.append(
                    "A language tag is not in the registry's case, such as pt-BR (RFC 9728 §2.1).")
            }
            if isPage, (try? HTTPURL(variant.text)) == nil {
                findings.problems.append(.init(path: place, Self.pageMessage))
            }
        }
        if value.text == nil, !value.variants.isEmpty {
            findings.warnings.append(
                "\(name) has values with language tags but none without (RFC 9728 §2.1).")
        }
    }

    // Some clients' schemas reject the whole document for one relative URL.
    private static let pageMessage = "The value must be an absolute http or https URL (RFC 9728 §2)."

    private func checkRepetition(_ findings: inout Findings, _ path: String) {
        let lists: [(String, [String])] = [
            ("authorization_servers", authorizationServers),
            ("scopes_supported", scopesSupported.map(\.name)),
            ("bearer_methods_supported", (bearerMethodsSupported ?? []).map(\.rawValue)),
            ("resource_signing_alg_values_supported", resourceSigningAlgorithmsSupported),
            ("authorization_details_types_supported", authorizationDetailsTypesSupported),
            ("dpop_signing_alg_values_supported", dpopSigningAlgorithmsSupported),
        ]
        for (name, values) in lists {
            for (index, value) in values.enumerated() where value.isEmpty && name != "authorization_servers" {
                findings.problems.append(
                    .init(path: "\(path).\(name)[\(index)]", "The entry must be a string that is not empty."))
            }
            guard values.count > 1 else { continue }
            var seen = Set<ExactText>(minimumCapacity: values.count)
            for (index, value) in values.enumerated() where !seen.insert(ExactText(value)).inserted {
                findings.problems.append(
                    .init(path: "\(path).\(name)[\(index)]", "This value is given more than once."))
            }
        }
    }

    private func checkExtensions(_ findings: inout Findings, _ path: String) {
        for member in extensions.members {
            if Self.isKnown(member.name) {
                findings.problems.append(
                    .init(
                        path: "\(path).\(member.name)",
                        "RFC 9728 defines this member; set it directly instead of as an extension."))
            }
            if Self.authorizationServerNames.contains(member.name) {
                findings.warnings.append(
                    "\(member.name) belongs in the authorization server's metadata, not here.")
            }
        }
    }

    private static let authorizationServerNames: Set<String> = [
        "issuer", "authorization_endpoint", "token_endpoint", "registration_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
    ]
}

/// The syntax of language tags.
///
/// BCP 47 (RFC 5646 §2.1, §2.1.1).
private enum LanguageTag {
    static func isWellFormed(_ tag: String) -> Bool {
        let subtags = tag.utf8.split(separator: 0x2D, omittingEmptySubsequences: false)
        return subtags.allSatisfy { (1...8).contains($0.count) && $0.allSatisfy(isAlphanumeric) }
            && subtags[0].allSatisfy(isLetter)
    }

    /// Language in lower case, script in title case, region in upper case.
    static func hasRegistryCase(_ tag: String) -> Bool {
        var afterSingleton = false
        for (index, subtag) in tag.split(separator: "-").enumerated() {
            let lowercased = ASCII.lowercased(subtag)
            var expected = lowercased
            if index > 0, !afterSingleton, subtag.utf8.count == 2 { expected = lowercased.uppercased() }
            if index > 0, !afterSingleton, subtag.utf8.count == 4, subtag.utf8.allSatisfy(isLetter) {
                expected = lowercased.prefix(1).uppercased() + lowercased.dropFirst()
            }
            if expected != subtag { return false }
            afterSingleton = subtag.utf8.count == 1
        }
        return true
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte)
    }
}
