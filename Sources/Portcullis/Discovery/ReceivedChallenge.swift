// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// One challenge that a client got: a scheme, and its parameters or its token.
///
/// RFC 9110 §11.6.1.
public struct ReceivedChallenge: Sendable, Hashable {
    /// One parameter.
    public struct Parameter: Sendable, Hashable {
        /// The name as it was sent; case does not count.
        public let name: String
        /// The value, unescaped and without quotes; it may be empty.
        public let value: String
    }

    /// The scheme as it was sent; case does not count.
    public let scheme: String
    /// What stands in place of parameters with schemes such as `Negotiate`.
    public let token68: String?
    /// The parameters, in order.
    public let parameters: [Parameter]

    init(scheme: String, token68: String? = nil, parameters: [Parameter] = []) {
        self.scheme = scheme
        self.token68 = token68
        self.parameters = parameters
    }

    /// The value of the parameter with this name, in any case, or nothing.
    public subscript(name: String) -> String? {
        parameters.first { ASCII.equalIgnoringCase($0.name, name) }?.value
    }

    /// Whether this is the scheme of that name, in any case.
    public func isScheme(_ name: String) -> Bool { ASCII.equalIgnoringCase(scheme, name) }

    /// Reads the challenges of a response from its `WWW-Authenticate` lines, in order.
    ///
    /// As strict as the grammar: one malformed challenge is an error, since nobody can tell where the next begins. Several lines are
    /// read as if they were one, joined by commas.
    ///
    /// - Throws: ``ChallengeSyntaxError`` with the place and the reason.
    ///
    /// RFC 9110 §5.3, §11.2, §11.6.1.
    package static func list(in lines: [String]) throws(ChallengeSyntaxError) -> [ReceivedChallenge] {
        var reader = ChallengeReader(lines.joined(separator: ", "))
        return try reader.list()
    }

    /// The `resource_metadata` of the first challenge that has one, of whatever scheme.
    ///
    /// RFC 9728 §5.1.
    package static func metadataURL(in challenges: [ReceivedChallenge]) -> String? {
        for challenge in challenges {
            if let url = challenge["resource_metadata"] { return url }
        }
        return nil
    }
}

/// Why `WWW-Authenticate` lines are no list of challenges, and where.
///
/// Holds none of their text.
///
/// RFC 9110 §11.6.1.
package struct ChallengeSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was wrong.
    @nonexhaustive
    package enum Reason: Sendable, Hashable {
        /// Where a scheme or a parameter's name should begin, there is no token.
        case missingToken
        /// A parameter stands where a scheme should be.
        case parameterWithoutScheme
        /// Behind an equals sign there is neither a token nor a quoted string.
        case missingValue
        /// A quoted string does not end.
        case unterminatedString
        /// A quoted string, or what a backslash escapes in it, holds a control character.
        case controlCharacter
        /// Behind a value or a token there is something else than a comma.
        case missingComma
        /// The same parameter stands twice in one challenge.
        case repeatedParameter
    }

    /// What was wrong.
    package let reason: Reason
    /// The offset, in bytes of the lines joined by a comma and a blank.
    package let offset: Int

    package init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// What was wrong, in a sentence.
    package var description: String {
        let what =
            switch reason {
            case .missingToken: "a scheme or a parameter's name is missing"
            case .parameterWithoutScheme: "a parameter stands where a scheme should be"
            case .missingValue: "a parameter's value is neither a token nor a quoted string"
            case .unterminatedString: "a quoted string does not end"
            case .controlCharacter: "a quoted string holds a control character"
            case .missingComma: "a comma is missing behind a value"
            case .repeatedParameter: "a parameter stands twice in one challenge"
            }
        return "at byte \(offset) \(what)"
    }
}
