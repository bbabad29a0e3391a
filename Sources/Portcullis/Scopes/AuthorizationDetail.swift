// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// One element of `authorization_details`: a permission that a token grants or a request needs.
///
/// RFC 9396 §2.
public struct AuthorizationDetail: Sendable, Hashable {
    /// The type, which defines the meaning of the other members.
    ///
    /// Compared exactly.
    public let type: String
    /// All members, including `type`.
    public let json: JSONObject

    /// Makes a detail that a request needs.
    ///
    /// - Parameters:
    ///   - type: The type.
    ///   - actions: The operations.
    ///   - datatypes: The kinds of data.
    ///   - identifier: The identifier of one object, or `nil`.
    ///   - privileges: The levels of privilege.
    ///   - members: Further members that the type defines.
    ///
    /// RFC 9396 §2.2.
    public init(
        type: String, actions: [String] = [], datatypes: [String] = [], identifier: String? = nil,
        privileges: [String] = [], members: JSONObject = [:]
    ) {
        var json: JSONObject = ["type": .string(type)]
        for (name, values) in [("actions", actions), ("datatypes", datatypes), ("privileges", privileges)]
        where !values.isEmpty {
            json[name] = .array(values.map(JSONValue.string))
        }
        json["identifier"] = identifier.map(JSONValue.string)
        for member in members.members where !member.name.utf8.elementsEqual("type".utf8) {
            json[member.name] = member.value
        }
        self.type = type
        self.json = json
    }

    /// Parses an element; `nil` if its `type` is missing or a common member is malformed.
    ///
    /// RFC 9396 §2, §2.2.
    package init?(_ value: JSONValue) {
        guard let json = value.object, let type = json["type"]?.string, !type.isEmpty else { return nil }
        for name in ["locations", "actions", "datatypes", "privileges"] {
            if let member = json[name], member.strings == nil { return nil }
        }
        if let identifier = json["identifier"], identifier.string == nil { return nil }
        self.type = type
        self.json = json
    }

    /// `locations`: the resources that it is for, or `nil` for all that the token is for.
    public var locations: [String]? { json["locations"]?.strings }
    /// `actions`, or `nil`.
    public var actions: [String]? { json["actions"]?.strings }
    /// `datatypes`, or `nil`.
    public var datatypes: [String]? { json["datatypes"]?.strings }
    /// `identifier`, or `nil`.
    public var identifier: String? { json["identifier"]?.string }
    /// `privileges`, or `nil`.
    public var privileges: [String]? { json["privileges"]?.strings }

    /// Whether the claim is malformed: not a list, or a list with an element without a type.
    ///
    /// RFC 9396 §2, §9.1.
    static func isMalformed(_ claim: JSONValue?) -> Bool {
        guard let claim, !claim.isNull else { return false }
        return claim.array.map { $0.contains { AuthorizationDetail($0) == nil } } ?? true
    }

    /// Returns the elements of the claim that are for a resource.
    ///
    /// A malformed claim grants nothing, and neither does an element for other locations.
    ///
    /// RFC 9396 §2.2, §9.1, §9.2.
    static func granted(_ claim: JSONValue?, at resource: ResourceIdentifier) -> [AuthorizationDetail] {
        guard let elements = claim?.array else { return [] }
        let details = elements.compactMap(AuthorizationDetail.init)
        guard details.count == elements.count else { return [] }
        return details.filter { detail in
            detail.locations?.contains { $0.utf8.elementsEqual(resource.text.utf8) } ?? true
        }
    }
}

/// Decides whether a granted detail covers a needed one, for one type of authorization details.
///
/// RFC 9396 §2, §5.
public struct AuthorizationDetailEvaluator: Sendable {
    /// The type.
    public let type: String
    let covers: @Sendable (_ granted: AuthorizationDetail, _ needed: AuthorizationDetail) -> Bool

    /// Decides with a closure, which must not block.
    public init(
        type: String,
        covers: @escaping @Sendable (_ granted: AuthorizationDetail, _ needed: AuthorizationDetail) -> Bool
    ) {
        self.type = type
        self.covers = covers
    }

    /// Compares member by member: lists must contain everything needed, other members must be equal.
    ///
    /// Used for types without their own evaluator. A member missing from the grant grants nothing.
    public static func memberwise(type: String) -> AuthorizationDetailEvaluator {
        AuthorizationDetailEvaluator(type: type) { granted, needed in
            needed.json.members.allSatisfy { member in
                if member.name.utf8.elementsEqual("locations".utf8) { return true }
                guard let value = granted.json[member.name] else { return false }
                guard let wanted = member.value.array, let had = value.array else {
                    return value == member.value
                }
                return wanted.allSatisfy(had.contains)
            }
        }
    }
}
