// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The operations of a route.
///
/// MCP 2026-07-28, Streamable HTTP; SEP-2243.
package struct OperationRules: Sendable, Hashable {
    /// The maximum number of operations of one route: 1024.
    ///
    /// A request is compared with each of them.
    package static let maximumCount = 1024
    /// The maximum number of different fields that the operations of one route name: 16.
    package static let maximumFieldCount = 16

    package let operations: [RequestOperation]
    package let others: OtherOperations
    /// Whether requests without credentials may use one of them.
    package let haveOptionalToken: Bool
    /// The fields that any operation names.
    private let fields: [Field]

    private struct Field: Sendable, Hashable {
        let name: FieldName
        let folded: [UInt8]
        let isMirrored: Bool
    }

    package init(_ operations: [RequestOperation], others: OtherOperations) {
        self.operations = operations
        self.others = others
        haveOptionalToken = operations.contains(where: \.isTokenOptional)
        fields = Self.names(of: operations).map { name in
            Field(
                name: name, folded: Self.folded(name.spelling.utf8),
                isMirrored: MirroredField.isMirrored(name))
        }
    }

    /// The different fields that operations name, in order.
    package static func names(of operations: [RequestOperation]) -> [FieldName] {
        var names: [FieldName] = []
        for criterion in operations.lazy.flatMap(\.criteria) where !names.contains(criterion.name) {
            names.append(criterion.name)
        }
        return names
    }

    /// The first operation that an earlier one hides, since every request for it is one for the earlier too.
    package static func hidden(in operations: [RequestOperation]) -> (index: Int, by: Int)? {
        for (index, operation) in operations.enumerated() {
            let criteria = Set(operation.criteria)
            let earlier = operations[..<index].firstIndex { $0.criteria.allSatisfy(criteria.contains) }
            if let earlier { return (index, earlier) }
        }
        return nil
    }

    // MARK: A request

    /// Finds the operation of a request; `nil` for one that is none of them where the route's demands are
    /// enough.
    ///
    /// - Parameter needsRevision: Whether the request must say that it keeps to a revision of MCP by which
    ///   servers compare these fields with the body.
    package func operation(
        of head: RequestHead, needsRevision: Bool
    ) throws(OperationFault) -> RequestOperation? {
        let values = try values(in: head)
        let found = operations.first { operation in
            operation.criteria.allSatisfy { criterion in
                values.contains {
                    $0.name == criterion.name && $0.value?.elementsEqual(criterion.value.utf8) == true
                }
            }
        }
        if let found {
            guard !needsRevision || Self.hasRevision(head) else { throw .unversioned }
            return found
        }
        guard others == .refused else { return nil }
        throw values.contains { $0.value == nil } ? .missing : .unlisted
    }

    /// The value of each field that an operation names; `nil` where a request has none.
    private func values(in head: RequestHead) throws(OperationFault) -> [(name: FieldName, value: [UInt8]?)] {
        guard !areNominated(in: head) else { throw .ambiguous }
        var values: [(name: FieldName, value: [UInt8]?)] = []
        values.reserveCapacity(fields.count)
        for field in fields {
            var range: Range<Int>?
            for slot in head.slots where Self.isSpelling(of: field, head.bytes, slot.nameRange) {
                guard range == nil, head.matches(slot, field.name) else { throw .ambiguous }
                range = slot.valueRange
            }
            guard let range else {
                values.append((field.name, nil))
                continue
            }
            guard field.isMirrored else {
                values.append((field.name, Array(head.bytes[range])))
                continue
            }
            guard let value = MirroredField.decoded(head.bytes[range]) else { throw .malformed }
            values.append((field.name, value))
        }
        return values
    }

    /// Whether `Connection` names one of the fields, so that a gateway removes what was judged.
    ///
    /// RFC 9110 §7.6.1.
    private func areNominated(in head: RequestHead) -> Bool {
        for slot in head.slots where slot.known == .connection {
            for element in ListElements(in: head.bytes, slot.valueRange)
            where fields.contains(where: { Self.isSpelling(of: $0, head.bytes, element) }) {
                return true
            }
        }
        return false
    }

    // CGI and its descendants read `Mcp_Name` as `Mcp-Name`. RFC 3875 §4.1.18.
    private static func isSpelling(of field: Field, _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count == field.folded.count else { return false }
        for index in field.folded.indices
        where folded(bytes[range.lowerBound + index]) != field.folded[index] {
            return false
        }
        return true
    }

    private static func folded(_ name: some Sequence<UInt8>) -> [UInt8] { name.map(folded) }

    private static func folded(_ byte: UInt8) -> UInt8 {
        let byte = CharacterClass.lowercase(byte)
        return CharacterClass.isDigit(byte) || (0x61...0x7A).contains(byte) ? byte : 0x2D
    }

    // MARK: The revision

    private static let revisionField: FieldName = "MCP-Protocol-Version"
    /// The first revision of MCP by which servers compare fields and body.
    package static let firstRevision = "2026-07-28"

    /// Whether a request names one revision, and one that demands the comparison.
    private static func hasRevision(_ head: RequestHead) -> Bool {
        guard let (range, count) = head.find(revisionField), count == 1 else { return false }
        let value = head.bytes[range]
        let form = Array("0000-00-00".utf8)
        guard value.count == form.count else { return false }
        let isDate = zip(value, form).allSatisfy { $1 == 0x2D ? $0 == 0x2D : CharacterClass.isDigit($0) }
        return isDate && !value.lexicographicallyPrecedes(firstRevision.utf8)
    }
}
