// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// One element of `authorization_details`: what a token allows, or what a request needs, in terms of its type.
///
/// RFC 9396 §2.
public struct AuthorizationDetail: Sendable, Hashable {
    /// The type, which says what the other members mean.
    ///
    /// Compared exactly.
    public let type: String
    /// All members, `type` among them.
    public let json: JSONObject

    /// Says what a request needs.
    ///
    /// - Parameters:
    ///   - type: The type.
    ///   - actions: What is to be done.
    ///   - datatypes: What kinds of data it is done to.
    ///   - identifier: The one thing that it is done to, or nothing.
    ///   - privileges: What levels of privilege it needs.
    ///   - members: Members of the type's own.
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

    /// Reads an element, or nothing if its `type` is not there or a common member is not of its form.
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

    /// `locations`: the resources that it is for, or nothing for all that the token is for.
    public var locations: [String]? { json["locations"]?.strings }
    /// `actions`, or nothing.
    public var actions: [String]? { json["actions"]?.strings }
    /// `datatypes`, or nothing.
    public var datatypes: [String]? { json["datatypes"]?.strings }
    /// `identifier`, or nothing.
    public var identifier: String? { json["identifier"]?.string }
    /// `privileges`, or nothing.
    public var privileges: [String]? { json["privileges"]?.strings }

    /// Whether a claim is not of its form: no list, or one with an element without a type.
    ///
    /// RFC 9396 §2, §9.1.
    static func isMalformed(_ claim: JSONValue?) -> Bool {
        guard let claim else { return false }
        return claim.array.map { $0.contains { AuthorizationDetail($0) == nil } } ?? true
    }

    /// The elements of the claim that count at a resource.
    ///
    /// A claim that is not of its form grants nothing, and neither does an element that is for other places.
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

/// Decides whether what a token grants covers what a request needs, for one type of authorization details.
///
/// RFC 9396 §2, §5.
public struct AuthorizationDetailEvaluator: Sendable {
    /// The type.
    public let type: String
    let covers: @Sendable (_ granted: AuthorizationDetail, _ needed: AuthorizationDetail) -> Bool

    /// Decides by a closure, which must not wait.
    public init(
        type: String,
        covers: @escaping @Sendable (_ granted: AuthorizationDetail, _ needed: AuthorizationDetail) -> Bool
    ) {
        self.type = type
        self.covers = covers
    }

    /// Decides member by member: lists must hold everything that is needed, other members must be equal.
    ///
    /// What is used for types without an evaluator of their own. A member that the grant does not have grants nothing.
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
