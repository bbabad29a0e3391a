// SPDX-License-Identifier: MIT

extension JSONError {
    /// A phrase for a log, without any part of the document.
    package var phrase: String {
        switch reason {
        case .tooLong: "it is too long"
        case .tooDeep: "it is nested too deeply"
        case .tooManyMembers: "it has too many members"
        case .unexpectedEnd: "it ends too early"
        case .unexpectedByte: "it has an unexpected character"
        case .malformedNumber: "it has a malformed number"
        case .controlCharacter: "a string has a control character"
        case .malformedEscape: "a string has an unknown escape"
        case .loneSurrogate: "a string has half a surrogate pair"
        case .malformedUTF8: "a string is not UTF-8"
        case .duplicateName: "an object has two members with the same name"
        case .trailingData: "there is more after its end"
        }
    }
}
