// SPDX-License-Identifier: MIT

/// Why bytes are not strict JSON, and where.
///
/// Contains none of the bytes.
///
/// RFC 8259 §2.
public struct JSONError: Error, Sendable, Hashable {
    /// What was wrong.
    @nonexhaustive
    public enum Reason: Sendable, Hashable {
        /// The document has more bytes than ``JSONLimits/maximumByteCount``.
        case tooLong
        /// Arrays and objects are nested deeper than ``JSONLimits/maximumDepth``.
        case tooDeep
        /// The document has more members and elements than ``JSONLimits/maximumMemberCount``.
        case tooManyMembers
        /// The document ends within a value, or is empty.
        case unexpectedEnd
        /// A byte that the grammar does not allow here, such as a byte order mark.
        case unexpectedByte
        /// A number such as `01`, `+1`, `.5`, `1.` or `NaN`.
        case malformedNumber
        /// An unescaped control character in a string.
        case controlCharacter
        /// An escape that RFC 8259 §7 does not define.
        case malformedEscape
        /// A `\u` escape of a lone surrogate.
        case loneSurrogate
        /// Bytes in a string that are not UTF-8, including overlong forms and surrogates.
        case malformedUTF8
        /// Two members of one object with the same name, after unescaping.
        case duplicateName
        /// Anything but white space after the value.
        case trailingData
    }

    /// What was wrong.
    public let reason: Reason
    /// The offset in bytes at which the parser noticed it.
    public let offset: Int

    package init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}
