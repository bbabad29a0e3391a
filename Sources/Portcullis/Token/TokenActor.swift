// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Who acts for the subject of a token: the outermost `act` claim.
///
/// The subject is still the user, and the token's permissions are its own. Earlier actors of the chain are history,
/// and decide nothing; `exp`, `nbf` and `aud` in `act` have no meaning.
///
/// RFC 8693 §4.1.
public struct TokenActor: Sendable, Hashable {
    /// The maximum number of actors in a chain; a token with more is refused.
    public static let maxChainLength = 8

    /// The `sub` of the actor, unique within its issuer, or `nil`.
    public let subject: String?
    /// The `iss` of the actor, or `nil`; usually absent: then it is the token's issuer.
    public let issuer: String?

    /// The actor of a token whose claim has been checked.
    init?(_ claim: JSONValue?) {
        guard let actor = claim?.object else { return nil }
        subject = actor["sub"]?.string
        issuer = actor["iss"]?.string
    }

    /// Checks the whole chain: objects, in which `sub` and `iss` are strings.
    ///
    /// RFC 8693 §4.1.
    static func check(_ claim: JSONValue?) throws(RefusalReason) {
        var next = claim
        var length = 0
        while let actor = next, !actor.isNull {
            length += 1
            guard let object = actor.object, length <= maxChainLength,
                object.hasStringOrNothing("sub"), object.hasStringOrNothing("iss")
            else { throw .malformedActor }
            next = object["act"]
        }
    }

    /// Whether both are the same, code point by code point.
    public static func == (first: TokenActor, second: TokenActor) -> Bool {
        first.subject.map(ExactText.init) == second.subject.map(ExactText.init)
            && first.issuer.map(ExactText.init) == second.issuer.map(ExactText.init)
    }

    /// Hashes both.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(subject.map(ExactText.init))
        hasher.combine(issuer.map(ExactText.init))
    }
}

extension JSONObject {
    fileprivate func hasStringOrNothing(_ name: String) -> Bool {
        guard let value = self[name], !value.isNull else { return true }
        return value.string != nil
    }
}
