// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE

/// What a route says about operations and claims.
struct ConditionSettings: Sendable, Hashable {
    /// Conditions on claims, all of which must hold.
    var claims: [ClaimCondition] = []
    /// In the order in which they are tried; empty: the route has one operation.
    var operations: [RequestOperation] = []
    var others = OtherOperations.refused

    /// Creates the defaults.
    init() {}
}

extension ConditionSettings {
    private enum OtherWord: String, CaseIterable {
        case refuse, route
    }

    init(_ reader: ObjectReader) {
        claims = Self.readClaims(reader)
        operations = Self.readOperations(reader)
        let word = reader.word("other_operations", OtherWord.self)
        others = word == .route ? .route : .refused
        if word != nil, reader.object["operations"] == nil {
            reader.error("other_operations", "has no effect without operations; list them, or leave it out")
        }
    }

    // MARK: Claims

    private static func readClaims(_ reader: ObjectReader) -> [ClaimCondition] {
        guard let objects = reader.objects("claims") else { return [] }
        if reader.object["claims"]?.array?.isEmpty == true {
            reader.error("claims", "must not be empty; leave it out if no claim matters")
        }
        if objects.count > ClaimCondition.maximumCount {
            reader.error("claims", "must have at most \(ClaimCondition.maximumCount) conditions")
        }
        return objects.compactMap(readClaim)
    }

    private static func readClaim(_ reader: ObjectReader) -> ClaimCondition? {
        let text = reader.requiredString("pointer", "a JSON pointer to the claim, such as \"/department\"")
        let pointer = text.flatMap(JSONPointer.init)
        if text != nil, pointer == nil {
            reader.error(
                "pointer",
                "must be a JSON pointer to a member, such as \"/realm_access/roles\" (RFC 6901)")
        }
        let element = value(reader, "contains")
        let whole = value(reader, "equals")
        reader.finish()
        guard (reader.object["contains"] == nil) != (reader.object["equals"] == nil) else {
            reader.findings.error(reader.path, "must have either contains or equals")
            return nil
        }
        guard let pointer else { return nil }
        return element.map { ClaimCondition(pointer, .contains($0)) }
            ?? whole.map { ClaimCondition(pointer, .equals($0)) }
    }

    private static func value(_ reader: ObjectReader, _ name: String) -> JSONValue? {
        guard let value = reader.value(name) else { return nil }
        guard !value.isNull else {
            reader.error(name, "must be a JSON value other than null; found null")
            return nil
        }
        return value
    }

    // MARK: Operations

    private static func readOperations(_ reader: ObjectReader) -> [RequestOperation] {
        guard let objects = reader.objects("operations") else { return [] }
        if reader.object["operations"]?.array?.isEmpty == true {
            reader.error("operations", "must not be empty; leave it out if the route has one operation")
        }
        let read = objects.map { (reader: $0, operation: readOperation($0)) }
        let operations = read.compactMap(\.operation)
        guard operations.count <= OperationRules.maximumCount,
            OperationRules.names(of: operations).count <= OperationRules.maximumFieldCount
        else {
            reader.error(
                "operations",
                "must be at most \(OperationRules.maximumCount), which name at most "
                    + "\(OperationRules.maximumFieldCount) different fields")
            return []
        }
        if operations.count == read.count, let hidden = OperationRules.hidden(in: operations) {
            reader.findings.error(
                read[hidden.index].reader.path,
                "is never reached, since every request for it is one for \(read[hidden.by].reader.path); list "
                    + "the one with more fields first")
        }
        return operations
    }

    private static func readOperation(_ reader: ObjectReader) -> RequestOperation? {
        let criteria = readCriteria(reader)
        let scopes = RouteSettings.readScopes(reader)
        let isOptional = reader.word("authentication", AuthenticationWord.self) == .optional
        reader.finish()
        if isOptional, !scopes.isEmpty {
            reader.error(
                "authentication",
                "must not be \"optional\" where the operation needs scopes, which only a token has")
        }
        guard let criteria else { return nil }
        return RequestOperation(
            criteria, scopes: scopes.compactMap { Scope(token: $0.separateCopy) },
            isTokenOptional: isOptional && scopes.isEmpty)
    }

    private static func readCriteria(_ reader: ObjectReader) -> [RequestOperation.Criterion]? {
        guard let object = reader.object("fields") else {
            if reader.object["fields"] == nil {
                reader.error(
                    "fields",
                    "missing; must be fields and their values, such as "
                        + "{\"Mcp-Method\": \"tools/call\"}")
            }
            return nil
        }
        let names = object.object.names
        if names.isEmpty { reader.error("fields", "must have one field or more") }
        var criteria: [RequestOperation.Criterion] = []
        for name in names {
            guard let criterion = readCriterion(name, object) else { continue }
            if criteria.contains(where: { $0.name == criterion.name }) {
                object.error(name, "given more than once; names of fields have no case")
            }
            criteria.append(criterion)
        }
        return names.isEmpty || criteria.count < names.count ? nil : criteria
    }

    private static func readCriterion(_ name: String, _ object: ObjectReader) -> RequestOperation.Criterion? {
        guard let value = object.string(name) else { return nil }
        guard let field = FieldName(name.separateCopy) else {
            object.error(name, "the key must be the name of a field, such as \"Mcp-Method\"")
            return nil
        }
        guard !isCredential(field) else {
            object.error(name, "must not be a field with credentials")
            return nil
        }
        let criterion = RequestOperation.Criterion(field, value.separateCopy)
        if let problem = criterion.problem { object.error(name, problem) }
        return criterion
    }

    private static func isCredential(_ field: FieldName) -> Bool {
        [.authorization, .dpop, "Cookie", "Proxy-Authorization"].contains(field)
    }
}
