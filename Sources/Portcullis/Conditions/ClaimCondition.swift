// SPDX-License-Identifier: MIT

import PortcullisHTTP
public import PortcullisJOSE

/// A condition on one claim of a token, beside its scopes: a role, a department, an assurance level.
///
/// Values are compared as JSON, with their types: `"1"` is not `1`, and strings have to agree code point by
/// code point. A claim that is absent or `null` meets no condition.
///
/// Only for claims with which the issuer grants something: the client chooses some others itself.
///
/// RFC 9068 §2.2.3, §5, RFC 6901, RFC 8259 §8.3.
public struct ClaimCondition: Sendable, Hashable {
    /// The maximum number of conditions of one requirement: 16.
    public static let maximumCount = 16

    /// How the claim is compared.
    package enum Comparison: Sendable, Hashable {
        /// The claim is an array that has this element.
        case contains(JSONValue)
        /// The claim is this value.
        case equals(JSONValue)
    }

    /// The place of the claim.
    package let pointer: JSONPointer
    package let comparison: Comparison

    package init(_ pointer: JSONPointer, _ comparison: Comparison) {
        self.pointer = pointer
        self.comparison = comparison
    }

    /// Requires that a claim is an array with this element.
    ///
    /// Traps if the element is `null`, which is the same as no claim.
    public init(
        _ pointer: JSONPointer, contains element: JSONValue, file: StaticString = #fileID, line: UInt = #line
    ) {
        self.init(checking: pointer, .contains(element), file, line)
    }

    /// Requires that a claim is this value.
    ///
    /// Traps if the value is `null`, which is the same as no claim.
    public init(
        _ pointer: JSONPointer, equals value: JSONValue, file: StaticString = #fileID, line: UInt = #line
    ) {
        self.init(checking: pointer, .equals(value), file, line)
    }

    private init(
        checking pointer: JSONPointer, _ comparison: Comparison, _ file: StaticString, _ line: UInt
    ) {
        self.init(pointer, comparison)
        endUnless(
            !expected.isNull, "A claim that is null counts as absent, and meets no condition.", file: file,
            line: line)
    }

    /// The value that the claim is compared with.
    package var expected: JSONValue {
        switch comparison {
        case .contains(let value), .equals(let value): value
        }
    }

    /// Whether the claims meet the condition.
    package func isMet(by claims: JSONObject) -> Bool {
        guard let value = pointer.value(in: claims) else { return false }
        switch comparison {
        case .contains(let element): return value.array?.contains { Self.agree($0, element) } ?? false
        case .equals(let expected): return Self.agree(value, expected)
        }
    }

    /// Whether two JSON values have the same type and meaning: numbers by value, members in any order.
    private static func agree(_ first: JSONValue, _ second: JSONValue) -> Bool {
        switch (first, second) {
        case (.number(let first), .number(let second)): return agree(first, second)
        case (.array(let first), .array(let second)):
            return first.count == second.count && zip(first, second).allSatisfy { agree($0, $1) }
        case (.object(let first), .object(let second)):
            return first.members.count == second.members.count
                && first.members.allSatisfy { member in
                    second[member.name].map { agree(member.value, $0) } ?? false
                }
        default: return first == second
        }
    }

    private static func agree(_ first: JSONNumber, _ second: JSONNumber) -> Bool {
        if first == second { return true }
        switch (first.integer, second.integer) {
        case (let first?, let second?): return first == second
        // Beyond 2^53 only equal spellings are known to be equal.
        case (nil, nil):
            guard let first = first.double, let second = second.double else { return false }
            return first == second && first.magnitude < 9_007_199_254_740_992
        default: return false
        }
    }

    /// Whether both are the same condition.
    public static func == (first: ClaimCondition, second: ClaimCondition) -> Bool {
        JSONPointer.areSame(first.pointer, second.pointer) && first.comparison == second.comparison
    }

    /// Hashes the pointer and the comparison.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(pointer.text)
        hasher.combine(comparison)
    }
}
