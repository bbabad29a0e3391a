// SPDX-License-Identifier: MIT

import PortcullisHTTP
public import PortcullisJOSE

/// A validated access token.
///
/// Only the gate makes one, so whoever holds one need not check it again.
///
/// Holds what the token says, never the token itself, and redacts itself when printed. Cheap to copy.
///
/// RFC 9068 §2.2, RFC 7662 §2.2.
public struct AccessToken: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The form in which a token came.
    public enum Format: String, Sendable, Hashable {
        /// A JWT, verified with the issuer's keys.
        case jwt
        /// Anything else, introspected.
        case opaque
    }

    /// What the possession of a token was proven with.
    public enum Binding: String, Sendable, Hashable {
        /// The token is not bound: who has it may use it.
        case none
        /// A DPoP proof. RFC 9449.
        case dpop
        /// A client certificate. RFC 8705.
        case mutualTLS = "mtls"
    }

    package let storage: Storage

    package init(_ storage: Storage) {
        self.storage = storage
    }

    /// The resource that the token was presented to.
    public var resource: ResourceIdentifier { storage.resource }
    /// The issuer, one of those that the resource trusts.
    public var issuer: String { storage.issuer }
    /// Whom the token speaks for, unique within the issuer, or nothing.
    public var subject: String? { storage.subject }
    /// The client that the token was issued to, or nothing.
    public var clientID: String? { storage.clientID }
    /// The scopes, in the order of the token, without those that they imply.
    public var scopes: [Scope] { storage.scopes }
    /// The audiences that the token names.
    public var audience: [String] { storage.audience }
    /// When it expires, or nothing for an introspected token that does not say.
    public var expiresAt: NumericDate? { storage.expiresAt }
    /// The form in which it came.
    public var format: Format { storage.format }
    /// What the possession of it was proven with.
    public var binding: Binding { storage.binding }
    /// Every claim, those that the gate does not know included: untrusted text from a trusted issuer.
    public var claims: JSONObject { storage.claims }

    /// How long it may still be used by the terms that it was accepted on, whatever has become of them; nothing if it does not expire.
    package var remainingTime: Duration? { expiresAt.map { storage.rules.remainingTime(until: $0) } }

    /// The elements of `authorization_details` that are for this resource and of a type that it knows.
    ///
    /// RFC 9396 §9.
    public var authorizationDetails: [AuthorizationDetail] { storage.rules.details(of: storage) }

    /// Whether the token carries all of these scopes, itself or by implication.
    public func carries(_ scopes: Scope...) -> Bool {
        scopes.allSatisfy(storage.granted.contains)
    }

    /// Goes on only if the token carries what is needed: scopes, itself or by implication, and the like.
    ///
    /// For demands that depend on the data, such as on whose note it is. Does not wait, and traps on
    /// ``AccessRequirement/freshlyIntrospected()``, for which it would have to.
    ///
    /// - Throws: ``Refusal`` with 403 and `insufficient_scope`, or with 401 and `insufficient_user_authentication`.
    ///
    /// RFC 6750 §3.1, RFC 9470 §3.
    public func require(
        _ requirement: AccessRequirement, file: StaticString = #fileID, line: UInt = #line
    ) throws(Refusal) {
        endUnless(
            !requirement.needsFreshIntrospection,
            "Only a route can require that its issuer is asked about a token.", file: file, line: line)
        guard let reason = storage.rules.shortcoming(of: storage, for: requirement) else { return }
        var refusal = storage.rules.challenger.refusal(
            reason, answering: .with(binding == .dpop ? .dpop : .bearer), requiring: requirement)
        refusal.finding = RefusalFinding(reason, of: storage, for: requirement)
        throw refusal
    }

    /// Nothing of what it holds.
    public var description: String { "AccessToken(redacted)" }
    /// Nothing of what it holds.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// What a token holds; made once and shared by all copies.
    package final class Storage: Sendable {
        let resource: ResourceIdentifier
        let rules: AccessRules
        let issuer: String
        let subject: String?
        let clientID: String?
        let scopes: [Scope]
        /// The scopes with everything that they imply.
        let granted: GrantedScopes
        let audience: [String]
        let expiresAt: NumericDate?
        let notBefore: NumericDate?
        let format: Format
        let confirmation: Confirmation
        let binding: Binding
        let claims: JSONObject

        init(
            _ claims: CheckedClaims, format: Format, issuer: String, resource: ResourceIdentifier,
            rules: AccessRules
        ) {
            self.resource = resource
            self.rules = rules
            self.issuer = issuer
            self.format = format
            confirmation = claims.confirmation
            // Nobody holds a token whose binding was not proven.
            if claims.confirmation.keyThumbprint != nil {
                binding = .dpop
            } else {
                binding = claims.confirmation.certificateThumbprint == nil ? .none : .mutualTLS
            }
            subject = claims.subject
            clientID = claims.clientID
            scopes = claims.scopes
            granted = claims.granted
            audience = claims.audience
            expiresAt = claims.expiresAt
            notBefore = claims.notBefore
            self.claims = claims.json
        }
    }
}
