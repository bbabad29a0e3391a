// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

/// One received challenge: a scheme, and its parameters or its token68.
///
/// RFC 9110 §11.6.1.
public struct ReceivedChallenge: Sendable, Hashable {
    /// One parameter.
    public struct Parameter: Sendable, Hashable {
        /// The name as received; case-insensitive.
        public let name: String
        /// The value, unescaped and without quotes; it may be empty.
        public let value: String
    }

    /// The scheme as received; case-insensitive.
    public let scheme: String
    /// The token68 that schemes such as `Negotiate` have instead of parameters.
    public let token68: String?
    /// The parameters, in order.
    public let parameters: [Parameter]

    init(scheme: String, token68: String? = nil, parameters: [Parameter] = []) {
        self.scheme = scheme
        self.token68 = token68
        self.parameters = parameters
    }

    /// The value of the parameter with this name, ignoring case, or `nil`.
    public subscript(name: String) -> String? {
        parameters.first { ASCII.equalIgnoringCase($0.name, name) }?.value
    }

    /// Whether the challenge has this scheme, ignoring case.
    public func isScheme(_ name: String) -> Bool { ASCII.equalIgnoringCase(scheme, name) }

    /// Parses the `WWW-Authenticate` lines of a response, in order.
    ///
    /// As strict as the grammar: one malformed challenge is an error, since the start of the next is unknown.
    /// Several lines are parsed as one, joined by commas.
    ///
    /// - Throws: ``ChallengeSyntaxError`` with offset and reason.
    ///
    /// RFC 9110 §5.3, §11.2, §11.6.1.
    package static func list(in lines: [String]) throws(ChallengeSyntaxError) -> [ReceivedChallenge] {
        var reader = ChallengeReader(lines.joined(separator: ", "))
        return try reader.list()
    }

    /// Returns the `resource_metadata` of the first challenge that has one, of any scheme.
    ///
    /// RFC 9728 §5.1.
    package static func metadataURL(in challenges: [ReceivedChallenge]) -> String? {
        for challenge in challenges {
            if let url = challenge["resource_metadata"] { return url }
        }
        return nil
    }
}

/// The reason that `WWW-Authenticate` lines are malformed, and its offset.
///
/// Contains none of their text.
///
/// RFC 9110 §11.6.1.
package struct ChallengeSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was wrong.
    @nonexhaustive
    package enum Reason: Sendable, Hashable {
        /// There is no token for a scheme or a parameter's name.
        case missingToken
        /// There is a parameter instead of a scheme.
        case parameterWithoutScheme
        /// After an equals sign there is neither a token nor a quoted string.
        case missingValue
        /// A quoted string has no end.
        case unterminatedString
        /// A quoted string contains a control character, perhaps after a backslash.
        case controlCharacter
        /// After a value or a token there is no comma.
        case missingComma
        /// A parameter is given more than once in one challenge.
        case repeatedParameter
    }

    /// What was wrong.
    package let reason: Reason
    /// The byte offset in the lines joined by a comma and a blank.
    package let offset: Int

    package init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// The problem as a sentence.
    package var description: String {
        let what =
            switch reason {
            case .missingToken: "a scheme or a parameter's name is missing"
            case .parameterWithoutScheme: "there is a parameter instead of a scheme"
            case .missingValue: "a parameter's value is neither a token nor a quoted string"
            case .unterminatedString: "a quoted string does not end"
            case .controlCharacter: "a quoted string contains a control character"
            case .missingComma: "a comma is missing after a value"
            case .repeatedParameter: "a parameter is given more than once in one challenge"
            }
        return "at byte \(offset) \(what)"
    }
}
