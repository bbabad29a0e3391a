// SPDX-License-Identifier: MIT

public import PortcullisJOSE

extension ProtectedResourceMetadata {
    /// Parses metadata from JSON, with the member names of RFC 9728.
    ///
    /// Empty arrays and empty names count as absent. Unknown members are kept in ``extensions``.
    ///
    /// - Parameters:
    ///   - json: The object.
    ///   - path: The path of the object, for messages. Default `$`.
    /// - Throws: ``ConfigurationError`` with the path of every member that violates RFC 9728.
    ///
    /// RFC 9728 §2, §3.2.
    public init(json: JSONValue, at path: String = "$") throws(ConfigurationError) {
        (self, _) = try Self.read(json: json, at: path)
    }

    /// Parses metadata like ``init(json:at:)``, and returns the warnings about it too.
    package static func read(
        json: JSONValue, at path: String
    ) throws(ConfigurationError) -> (metadata: ProtectedResourceMetadata, warnings: [String]) {
        guard let object = json.object else {
            throw ConfigurationError("Metadata must be a JSON object (RFC 9728 §3.2).", path: path)
        }
        var reader = MetadataReader(object: object, path: path)
        guard let resource = reader.resource() else { throw ConfigurationError(reader.problems) }
        var metadata = ProtectedResourceMetadata(resource: resource)
        metadata.authorizationServers = reader.strings("authorization_servers") ?? []
        metadata.jwksURI = reader.string("jwks_uri")
        metadata.scopesSupported = reader.scopes("scopes_supported")
        metadata.bearerMethodsSupported = reader.bearerMethods("bearer_methods_supported")
        metadata.resourceSigningAlgorithmsSupported =
            reader.strings("resource_signing_alg_values_supported") ?? []
        metadata.resourceName = reader.localized("resource_name")
        metadata.resourceDocumentation = reader.localized("resource_documentation")
        metadata.resourcePolicyURI = reader.localized("resource_policy_uri")
        metadata.resourceTermsOfServiceURI = reader.localized("resource_tos_uri")
        metadata.tlsClientCertificateBoundAccessTokens = reader.bool(
            "tls_client_certificate_bound_access_tokens")
        metadata.authorizationDetailsTypesSupported =
            reader.strings("authorization_details_types_supported") ?? []
        metadata.dpopSigningAlgorithmsSupported = reader.strings("dpop_signing_alg_values_supported") ?? []
        metadata.dpopBoundAccessTokensRequired = reader.bool("dpop_bound_access_tokens_required")
        metadata.signedMetadata = reader.string("signed_metadata")
        metadata.extensions = reader.extensions()
        let findings = metadata.findings(at: path)
        let problems = reader.problems + findings.problems
        if !problems.isEmpty { throw ConfigurationError(problems) }
        return (metadata, findings.warnings)
    }

    /// The members in a fixed order: those for machines first, then those for people, then extensions.
    ///
    /// RFC 9728 §3.2: members without values are left out.
    public var json: JSONObject {
        var object: JSONObject = ["resource": .string(resource.text)]
        object.set("authorization_servers", authorizationServers)
        object["jwks_uri"] = jwksURI.map(JSONValue.string)
        object.set("scopes_supported", scopesSupported.map(\.name))
        // RFC 9728 §2: an empty list means that no bearer method is supported.
        object["bearer_methods_supported"] = bearerMethodsSupported.map {
            .array($0.map { .string($0.rawValue) })
        }
        object.set("resource_signing_alg_values_supported", resourceSigningAlgorithmsSupported)
        object["tls_client_certificate_bound_access_tokens"] =
            tlsClientCertificateBoundAccessTokens.map(JSONValue.bool)
        object.set("authorization_details_types_supported", authorizationDetailsTypesSupported)
        object.set("dpop_signing_alg_values_supported", dpopSigningAlgorithmsSupported)
        object["dpop_bound_access_tokens_required"] = dpopBoundAccessTokensRequired.map(JSONValue.bool)
        object.set("resource_name", resourceName)
        object.set("resource_documentation", resourceDocumentation)
        object.set("resource_policy_uri", resourcePolicyURI)
        object.set("resource_tos_uri", resourceTermsOfServiceURI)
        object["signed_metadata"] = signedMetadata.map(JSONValue.string)
        for member in extensions.members where !member.value.isWithoutValue {
            object[member.name] = member.value
        }
        return object
    }

    /// The names that RFC 9728 defines.
    static let registeredNames: Set<String> = [
        "resource", "authorization_servers", "jwks_uri", "scopes_supported", "bearer_methods_supported",
        "resource_signing_alg_values_supported", "resource_name", "resource_documentation",
        "resource_policy_uri",
        "resource_tos_uri", "tls_client_certificate_bound_access_tokens",
        "authorization_details_types_supported",
        "dpop_signing_alg_values_supported", "dpop_bound_access_tokens_required", "signed_metadata",
    ]

    /// Whether RFC 9728 defines a name, with or without a language tag.
    static func isKnown(_ name: String) -> Bool {
        registeredNames.contains { $0.utf8.elementsEqual(name.utf8) }
            || name.utf8.contains(0x23) && localizedNames.contains { name.utf8.starts(with: "\($0)#".utf8) }
    }

    /// The names that may carry a language tag.
    ///
    /// RFC 9728 §2.1.
    static let localizedNames = [
        "resource_name", "resource_documentation", "resource_policy_uri", "resource_tos_uri",
    ]
}

extension JSONObject {
    fileprivate mutating func set(_ name: String, _ values: [String]) {
        if !values.isEmpty { self[name] = .array(values.map(JSONValue.string)) }
    }

    fileprivate mutating func set(_ name: String, _ text: LocalizedText) {
        if let untagged = text.text, !untagged.isEmpty { self[name] = .string(untagged) }
        for variant in text.variants where !variant.text.isEmpty {
            self["\(name)#\(variant.tag)"] = .string(variant.text)
        }
    }
}

extension JSONValue {
    /// Whether this is `null`, an empty string or an empty array.
    ///
    /// RFC 9728 §3.2.
    var isWithoutValue: Bool {
        switch self {
        case .null: true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        default: false
        }
    }
}

/// Reads members by type, and collects problems for those of another type.
private struct MetadataReader {
    let object: JSONObject
    let path: String
    var problems: [ConfigurationError.Problem] = []

    private mutating func note(_ name: String, _ message: String) {
        problems.append(.init(path: "\(path).\(name)", message))
    }

    mutating func resource() -> ResourceIdentifier? {
        guard let value = object["resource"] else {
            problems.append(.init(path: "\(path).resource", "The member resource is required (RFC 9728 §2)."))
            return nil
        }
        guard let text = value.string else {
            note("resource", "The value must be a JSON string: the URL of the resource (RFC 9728 §2).")
            return nil
        }
        do throws(ConfigurationError) {
            return try ResourceIdentifier(validating: text)
        } catch {
            for problem in error.problems { note("resource", problem.message) }
            return nil
        }
    }

    mutating func string(_ name: String) -> String? {
        guard let value = object[name] else { return nil }
        guard let text = value.string else {
            note(name, "The value must be a JSON string; otherwise omit the member.")
            return nil
        }
        return text
    }

    mutating func bool(_ name: String) -> Bool? {
        guard let value = object[name] else { return nil }
        guard let truth = value.bool else {
            note(name, "The value must be true or false, without quotes; otherwise omit the member.")
            return nil
        }
        return truth
    }

    // RFC 9728 §3.2: an array even with one value.
    mutating func strings(_ name: String) -> [String]? {
        guard let value = object[name] else { return nil }
        guard let elements = value.array else {
            note(name, "The value must be an array of strings, even with one value (RFC 9728 §3.2).")
            return nil
        }
        var strings: [String] = []
        for (index, element) in elements.enumerated() {
            if let string = element.string, !string.isEmpty {
                strings.append(string)
            } else {
                note("\(name)[\(index)]", "The entry must be a JSON string that is not empty.")
            }
        }
        return strings
    }

    mutating func scopes(_ name: String) -> [Scope] {
        var scopes: [Scope] = []
        for (index, text) in (strings(name) ?? []).enumerated() {
            if let scope = Scope(token: text) {
                scopes.append(scope)
            } else {
                note(
                    "\(name)[\(index)]",
                    "A scope is printable ASCII characters without space, quote or backslash (RFC 6749 §3.3)."
                )
            }
        }
        return scopes
    }

    mutating func bearerMethods(_ name: String) -> [ProtectedResourceMetadata.BearerMethod]? {
        guard let texts = strings(name) else { return nil }
        var methods: [ProtectedResourceMetadata.BearerMethod] = []
        for (index, text) in texts.enumerated() {
            if let method = ProtectedResourceMetadata.BearerMethod(rawValue: text) {
                methods.append(method)
            } else {
                note("\(name)[\(index)]", "A bearer method must be header, body or query (RFC 9728 §2).")
            }
        }
        return methods
    }

    mutating func localized(_ name: String) -> LocalizedText {
        var result = LocalizedText(string(name))
        for member in object.members
        where member.name.utf8.contains(0x23) && member.name.utf8.starts(with: "\(name)#".utf8) {
            let tag = String(decoding: member.name.utf8.dropFirst(name.utf8.count + 1), as: UTF8.self)
            if let text = member.value.string {
                result.variants.append(.init(tag: tag, text: text))
            } else {
                note(member.name, "The value must be a JSON string; otherwise omit the member.")
            }
        }
        return result
    }

    mutating func extensions() -> JSONObject {
        var result: JSONObject = [:]
        for member in object.members where !ProtectedResourceMetadata.isKnown(member.name) {
            if member.value.isNull {
                note(member.name, "Omit a member without a value; null is not allowed (RFC 9728 §3.2).")
            } else {
                result[member.name] = member.value
            }
        }
        return result
    }
}
