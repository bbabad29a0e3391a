// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisJOSE

/// A change of one object of a configuration file: the members to set, each with its complete value.
///
/// Suggested settings that belong to several objects make several edits. This is the first; once it is made,
/// another explanation leads to the next.
package struct SuggestedEdit: Sendable, Hashable {
    /// The JSONPath of the object, which the file may not have yet.
    ///
    /// RFC 9535 §2.
    package let place: String
    /// The members to set.
    package let members: JSONObject
    /// Whether no other edit is needed.
    package let isLast: Bool

    /// Makes the edit for suggested settings.
    ///
    /// Contains no secret of the file.
    ///
    /// - Parameters:
    ///   - settings: What to change.
    ///   - resource: The index of the resource in the file; `nil` if it is known by its identifier only.
    ///   - identifier: The identifier of the resource.
    ///   - document: The file.
    package init(
        of settings: [SuggestedSetting], for resource: Int?, named identifier: String,
        in document: JSONObject
    ) {
        var draft = EditDraft(document, resource)
        for setting in settings { draft.add(setting) }
        // RFC 9535 §2.3.5: a filter selects what no index is known of.
        let quoted = identifier.split(separator: "'", omittingEmptySubsequences: false).joined(
            separator: "\\'")
        let base = resource.map { "$.resources[\($0)]" } ?? "$.resources[?@.metadata.resource=='\(quoted)']"
        let edits = draft.edits(at: base)
        (place, members) = edits.first ?? (base, JSONObject())
        isLast = edits.count < 2
    }

    /// The edit as JSON.
    package var json: JSONObject { ["at": .string(place), "set": .object(members)] }

    /// A file with the members set.
    ///
    /// - Parameter file: The document that the edit was made for, with the index of its resource.
    package func applied(to file: JSONObject) -> JSONObject {
        let steps = place.dropFirst().split { ".[]".contains($0) }.map(String.init)
        return Self.set(members, at: steps[...], in: .object(file)).object ?? file
    }

    private static func set(
        _ members: JSONObject, at path: ArraySlice<String>, in value: JSONValue?
    ) -> JSONValue {
        guard let step = path.first else {
            var object = value?.object ?? [:]
            for member in members.members { object[member.name] = member.value }
            return .object(object)
        }
        if let index = Int(step) {
            var array = value?.array ?? []
            while array.count <= index { array.append(.object([:])) }
            array[index] = set(members, at: path.dropFirst(), in: array[index])
            return .array(array)
        }
        var object = value?.object ?? [:]
        object[step] = set(members, at: path.dropFirst(), in: object[step])
        return .object(object)
    }
}

/// The members to set in each object of a file.
private struct EditDraft {
    private let document: JSONObject
    private let resourceIndex: Int?
    private var server = JSONObject()
    /// The entry of the issuer, which may be one to append.
    private var entry: Int?
    private var metadata = JSONObject()
    private var resource = JSONObject()
    private var tokens = JSONObject()

    init(_ document: JSONObject, _ resourceIndex: Int?) {
        self.document = document
        self.resourceIndex = resourceIndex
    }

    private var servers: [JSONObject] {
        document["authorization_servers"]?.array?.map { $0.object ?? [:] } ?? []
    }

    private var currentResource: JSONObject {
        guard let resourceIndex, let resources = document["resources"]?.array,
            resources.indices.contains(resourceIndex)
        else { return [:] }
        return resources[resourceIndex].object ?? [:]
    }

    mutating func add(_ setting: SuggestedSetting) {
        switch setting {
        case .format(let format): tokens["format"] = .string(format.rawValue)
        case .acceptedTypes(let types): tokens["types"] = Self.list(types)
        case .algorithms(let algorithms): tokens["algorithms"] = Self.list(algorithms.map(\.rawValue))
        case .requiredClaims(let names): tokens["required_claims"] = Self.list(names)
        case .audiences(let audiences): tokens["audiences"] = Self.list(audiences)
        case .scopeClaims(let names): tokens["scope_claims"] = Self.list(names)
        case .maxTokenByteCount(let count): tokens["max_token_bytes"] = .number(JSONNumber(count))
        case .optionalIntrospectionAudience: tokens["introspection_audience"] = "optional"
        case .additionalIssuer(let issuer):
            let others = currentResource["trusted_issuers"]?.strings ?? []
            resource["trusted_issuers"] = Self.list(others + [issuer])
        case .issuerSpelling(let old, let new): respell(old, new)
        case .sharedKeys(let issuer, let other): shareKeys(issuer, other)
        case .discoveredKeys(let issuer): set("discovery", true, of: issuer)
        case .introspection(let issuer): introspect(issuer)
        case .issuerAlgorithms(let algorithms, let issuer):
            set("algorithms", Self.list(algorithms.map(\.rawValue)), of: issuer)
        case .clientIDPointers(let pointers, let issuer):
            set(Self.list(pointers), for: "client_id", in: "claims", of: issuer)
        case .scopePointers(let pointers, let issuer):
            set(Self.list(pointers), for: "scopes", in: "claims", of: issuer)
        case .requiredClaimValue(let pointer, let values, let issuer):
            set(Self.list(values), for: pointer, in: "required_claim_values", of: issuer)
        case .audienceFrom(let pointer, let values, let issuer):
            set("audience_from", ["pointer": .string(pointer), "values": Self.list(values)], of: issuer)
        }
    }

    private static func list(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }

    // MARK: The issuer's entry

    private func index(of issuer: String) -> Int? {
        servers.firstIndex { $0["issuer"]?.string?.utf8.elementsEqual(issuer.utf8) ?? false }
    }

    /// Chooses the entry of an issuer, and adds one if there is none.
    private mutating func choose(_ issuer: String) {
        guard entry == nil else { return }
        if let index = index(of: issuer) {
            entry = index
        } else {
            entry = servers.count
            server["issuer"] = .string(issuer)
        }
    }

    private mutating func set(_ name: String, _ value: JSONValue, of issuer: String) {
        choose(issuer)
        server[name] = value
    }

    /// Sets one member of an object in the entry, and keeps its others.
    private mutating func set(_ value: JSONValue, for member: String, in name: String, of issuer: String) {
        choose(issuer)
        let index = entry ?? 0
        let current = servers.indices.contains(index) ? servers[index][name]?.object : nil
        var object = server[name]?.object ?? current ?? [:]
        object[member] = value
        server[name] = .object(object)
    }

    private mutating func respell(_ old: String, _ new: String) {
        if let index = index(of: old), self.index(of: new) == nil {
            entry = index
            server["issuer"] = .string(new)
        }
        let respelled = { (list: JSONValue?) in
            list?.strings.map { texts in Self.list(texts.map { $0.utf8.elementsEqual(old.utf8) ? new : $0 }) }
        }
        let listed = currentResource["metadata"]?.object?["authorization_servers"]
        if let changed = respelled(listed), changed != listed { metadata["authorization_servers"] = changed }
        let trusted = currentResource["trusted_issuers"]
        if let changed = respelled(trusted), changed != trusted { resource["trusted_issuers"] = changed }
    }

    // Discovered keys are shared by themselves.
    private mutating func shareKeys(_ issuer: String, _ other: String) {
        guard let index = index(of: other) else { return }
        for name in ["jwks", "jwks_uri"] {
            guard let keys = servers[index][name] else { continue }
            if let own = self.index(of: issuer), servers[own][name] == keys { continue }
            set(name, keys, of: issuer)
        }
    }

    private mutating func introspect(_ issuer: String) {
        let placeholders: JSONValue = ["client_id": "YOUR-CLIENT-ID", "client_secret": "YOUR-CLIENT-SECRET"]
        let current = index(of: issuer).map { servers[$0] } ?? [:]
        set("introspection", placeholders, of: issuer)
        // The endpoint is discovered.
        let hasKeys = current["jwks"] != nil || current["jwks_uri"] != nil
        if hasKeys || current["discovery"]?.bool == false { server["discovery"] = true }
    }

    // MARK: The edits

    func edits(at base: String) -> [(place: String, members: JSONObject)] {
        var edits: [(place: String, members: JSONObject)] = []
        if let edit = serverEdit { edits.append(edit) }
        if resource.members.isEmpty, metadata.members.isEmpty {
            if !tokens.members.isEmpty { edits.append((base + ".tokens", tokens)) }
            return edits
        }
        var members = resource
        if !metadata.members.isEmpty { members["metadata"] = merged("metadata", metadata) }
        // The file's nonce keys are secret, so these members are not repeated.
        let hasSecrets = currentResource["tokens"]?.object?["dpop"]?.object?["nonce_keys"] != nil
        if !tokens.members.isEmpty, !hasSecrets { members["tokens"] = merged("tokens", tokens) }
        edits.append((base, members))
        if !tokens.members.isEmpty, hasSecrets { edits.append((base + ".tokens", tokens)) }
        return edits
    }

    /// The edit of the issuer's entry, without what the entry says already.
    private var serverEdit: (place: String, members: JSONObject)? {
        guard let entry else { return nil }
        let current = servers.indices.contains(entry) ? servers[entry] : [:]
        var server = server
        for member in server.members where current[member.name] == member.value { server[member.name] = nil }
        guard !server.members.isEmpty else { return nil }
        guard document["authorization_servers"] != nil else {
            return ("$", ["authorization_servers": [.object(server)]])
        }
        return ("$.authorization_servers[\(entry)]", server)
    }

    /// The complete new value of a member of the resource.
    private func merged(_ name: String, _ changes: JSONObject) -> JSONValue {
        var object = currentResource[name]?.object ?? [:]
        for member in changes.members { object[member.name] = member.value }
        return .object(object)
    }
}
