// SPDX-License-Identifier: MIT

public import PortcullisHTTP

/// One operation behind a URL that has several, recognized by the exact values of fields.
///
///     RequestOperation(["Mcp-Method": "tools/call", "Mcp-Name": "delete_note"], scopes: ["notes:write"])
///
/// The gate never reads bodies. It may be used only where the program that carries out the operation refuses
/// requests whose fields and body say different things, as MCP demands of its servers from 2026-07-28 on.
///
/// MCP 2026-07-28, Streamable HTTP, "Standard Request Headers"; SEP-2243.
public struct RequestOperation: Sendable, Hashable {
    /// A field and the value that it must have.
    package struct Criterion: Sendable, Hashable {
        package let name: FieldName
        /// The value, after decoding where the field's values may be encoded.
        package let value: String

        package init(_ name: FieldName, _ value: String) {
            self.name = name
            self.value = value
        }

        package static func == (first: Criterion, second: Criterion) -> Bool {
            first.name == second.name && first.value.utf8.elementsEqual(second.value.utf8)
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(name)
            hasher.combine(value)
        }
    }

    package let criteria: [Criterion]
    /// The scopes that the token needs in addition to those of the route.
    package let scopes: [Scope]
    /// Whether a request without credentials may use it.
    package let isTokenOptional: Bool

    package init(_ criteria: [Criterion], scopes: [Scope], isTokenOptional: Bool) {
        self.criteria = criteria
        self.scopes = scopes
        self.isTokenOptional = isTokenOptional
    }

    /// Declares an operation that needs these scopes in addition to those of the route.
    ///
    /// Traps without fields, with a field that comes twice, and with a value that the field cannot have.
    ///
    /// - Parameters:
    ///   - fields: All have to be there, each once, with exactly this value; case matters. Values of
    ///     `Mcp-Name` and `Mcp-Param-…` are written as they are after decoding.
    ///   - scopes: All of them are needed. Default none: the route's demands are enough.
    ///   - file: The source file reported by a trap.
    ///   - line: The line reported by a trap.
    public init(
        _ fields: KeyValuePairs<FieldName, String>, scopes: [Scope] = [], file: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.init(checking: fields, scopes: scopes, isTokenOptional: false, file, line)
    }

    /// Declares an operation that a request without credentials may use, while the rest of its route needs a
    /// token.
    ///
    /// A request with credentials is judged as for any other operation. Only in
    /// `Routes.optionallyProtect(_:_:)`, whose handlers receive `AccessToken?`, and with
    /// ``ProtectedResource/authorizeOptionally(_:requiring:in:)``.
    public static func withOptionalToken(
        _ fields: KeyValuePairs<FieldName, String>, file: StaticString = #fileID, line: UInt = #line
    ) -> RequestOperation {
        RequestOperation(checking: fields, scopes: [], isTokenOptional: true, file, line)
    }

    private init(
        checking fields: KeyValuePairs<FieldName, String>, scopes: [Scope], isTokenOptional: Bool,
        _ file: StaticString, _ line: UInt
    ) {
        let criteria = fields.map { Criterion($0.key, $0.value) }
        endUnless(
            !criteria.isEmpty, "An operation is recognized by one field or more.", file: file, line: line)
        endUnless(
            Set(criteria.map(\.name)).count == criteria.count, "An operation names each of its fields once.",
            file: file, line: line)
        for criterion in criteria {
            if let problem = criterion.problem {
                endForMistake(
                    "The value of \(criterion.name) in an operation \(problem).", file: file, line: line)
            }
        }
        self.init(criteria, scopes: scopes, isTokenOptional: isTokenOptional)
    }
}

extension RequestOperation.Criterion {
    /// Why no request can have this field with this value, or `nil`.
    package var problem: String? {
        if value.isEmpty { return "must not be empty" }
        if MirroredField.isMirrored(name) { return nil }
        let bytes = Array(value.utf8)
        guard bytes.allSatisfy(CharacterClass.isFieldValueCharacter), bytes.allSatisfy({ $0 < 0x80 }) else {
            return "must be ASCII without control characters"
        }
        guard let first = bytes.first, let last = bytes.last, first > 0x20, last > 0x20 else {
            return "must not begin or end with a blank"
        }
        return nil
    }
}
