// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

/// The lists of the resources' metadata and policies: equal lists share their memory, and none keeps the
/// memory of the file that it was read from.
///
/// A file may have thousands of resources, which mostly have the same issuers and scopes.
struct SharedLists {
    private var texts: [[ExactText]: [String]] = [:]
    private var algorithms: Set<[SignatureAlgorithm]> = []
    private var scopes: Set<[Scope]> = []
    private var methods: Set<[ProtectedResourceMetadata.BearerMethod]> = []

    /// The same metadata in memory of its own.
    mutating func compacted(_ metadata: ProtectedResourceMetadata) -> ProtectedResourceMetadata {
        var copy = metadata
        // The identifier is valid already.
        copy.resource = (try? ResourceIdentifier(validating: metadata.resource.text)) ?? metadata.resource
        copy.authorizationServers = shared(metadata.authorizationServers)
        copy.scopesSupported = shared(metadata.scopesSupported)
        copy.bearerMethodsSupported = metadata.bearerMethodsSupported.map {
            methods.insert($0.map { $0 }).memberAfterInsert
        }
        copy.resourceSigningAlgorithmsSupported = shared(metadata.resourceSigningAlgorithmsSupported)
        copy.authorizationDetailsTypesSupported = shared(metadata.authorizationDetailsTypesSupported)
        copy.dpopSigningAlgorithmsSupported = shared(metadata.dpopSigningAlgorithmsSupported)
        copy.jwksURI = metadata.jwksURI.map(Self.copy)
        copy.resourceName = Self.copy(metadata.resourceName)
        copy.resourceDocumentation = Self.copy(metadata.resourceDocumentation)
        copy.resourcePolicyURI = Self.copy(metadata.resourcePolicyURI)
        copy.resourceTermsOfServiceURI = Self.copy(metadata.resourceTermsOfServiceURI)
        return copy
    }

    /// The same policy in memory of its own.
    mutating func compacted(_ policy: TokenPolicy) -> TokenPolicy {
        var copy = policy
        copy.algorithms = algorithms.insert(policy.algorithms.map { $0 }).memberAfterInsert
        copy.acceptedTypes = shared(policy.acceptedTypes)
        copy.requiredClaims = shared(policy.requiredClaims)
        copy.audiences = policy.audiences.map { shared($0) }
        copy.scopeClaims = shared(policy.scopeClaims)
        return copy
    }

    private mutating func shared(_ list: [String]) -> [String] {
        guard !list.isEmpty else { return [] }
        let key = list.map(ExactText.init)
        if let known = texts[key] { return known }
        let copy = list.map(Self.copy)
        texts[copy.map(ExactText.init)] = copy
        return copy
    }

    private mutating func shared(_ list: [Scope]) -> [Scope] {
        guard !list.isEmpty, let index = scopes.firstIndex(of: list) else {
            let copy = list.compactMap { Scope(token: Self.copy($0.name)) }
            if !copy.isEmpty { scopes.insert(copy) }
            return copy
        }
        return scopes[index]
    }

    private static func copy(_ text: String) -> String { text.separateCopy }

    private static func copy(_ text: LocalizedText) -> LocalizedText {
        LocalizedText(
            text.text.map(copy),
            variants: text.variants.map { .init(tag: copy($0.tag), text: copy($0.text)) })
    }
}

extension String {
    /// The same text in memory of its own.
    var separateCopy: String { String(decoding: Array(utf8), as: UTF8.self) }
}
