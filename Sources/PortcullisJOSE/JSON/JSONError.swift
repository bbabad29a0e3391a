// SPDX-License-Identifier: MIT

/// Why bytes are not a JSON document that this package reads, and where.
///
/// Never holds any of the bytes.
///
/// RFC 8259 §2.
public struct JSONError: Error, Sendable, Hashable {
    /// What was wrong.
    @nonexhaustive
    public enum Reason: Sendable, Hashable {
        /// More bytes than ``JSONLimits/maximumByteCount``.
        case tooLong
        /// Arrays and objects nested deeper than ``JSONLimits/maximumDepth``.
        case tooDeep
        /// More members and elements than ``JSONLimits/maximumMemberCount``.
        case tooManyMembers
        /// The document ended within a value, or was empty.
        case unexpectedEnd
        /// A byte that the grammar has no place for, a byte order mark among them.
        case unexpectedByte
        /// A number such as `01`, `+1`, `.5`, `1.` or `NaN`.
        case malformedNumber
        /// A control character within a string that is not escaped.
        case controlCharacter
        /// An escape that is not among those of RFC 8259 §7.
        case malformedEscape
        /// A `\u` escape of one half of a surrogate pair.
        case loneSurrogate
        /// Bytes within a string that are not UTF-8: overlong forms and surrogates among them.
        case malformedUTF8
        /// Two members of one object with the same name, after unescaping.
        case duplicateName
        /// Anything but white space behind the value.
        case trailingData
    }

    /// What was wrong.
    public let reason: Reason
    /// The offset, in bytes, at which it was noticed.
    public let offset: Int

    package init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}
