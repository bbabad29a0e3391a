// SPDX-License-Identifier: MIT

import PortcullisHTTP
public import PortcullisJOSE

/// A validated access token.
///
/// Only the gate creates one, so it need not be checked again.
///
/// Contains the token's claims, never the token itself, and redacts itself when printed. Cheap to copy.
///
/// RFC 9068 §2.2, RFC 7662 §2.2.
public struct AccessToken: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The format of a token.
    public enum Format: String, Sendable, Hashable {
        /// A JWT, verified with the issuer's keys.
        case jwt
        /// Anything else, introspected.
        case opaque
    }

    /// The proof of possession of a token.
    public enum Binding: String, Sendable, Hashable {
        /// The token is not bound: a plain bearer token.
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
    /// The `sub` claim, unique within the issuer, or `nil`.
    ///
    /// The client itself if ``isClient``. To recognize a user or client again, use ``holder``.
    public var subject: String? { storage.subject }
    /// The client that the token was issued to, or `nil`.
    public var clientID: String? { storage.clientID }
    /// Whether the token is the client's own, without a user: its subject is the client, or absent.
    ///
    /// Then a user whose `sub` is spelled as the client is somebody else. draft-ietf-oauth-rfc8725bis §3.8,
    /// RFC 9700 §4.15.
    public var isClient: Bool { holder?.kind == .client }
    /// The user or client that the token speaks for, or `nil` if it names neither.
    ///
    /// draft-ietf-oauth-rfc8725bis §3.8.
    public var holder: TokenHolder? { TokenHolder(self) }
    /// The party that acts for the subject; `nil` if there is none.
    ///
    /// The claim `may_act` is not read: it is for the authorization server. RFC 8693 §4.1, §4.4.
    public var actor: TokenActor? { TokenActor(storage.claims["act"]) }
    /// The scopes, in the order of the token, without those that they imply.
    public var scopes: [Scope] { storage.scopes }
    /// The `aud` claim.
    public var audience: [String] { storage.audience }
    /// The expiration time, or `nil` for an introspected token without one.
    public var expiresAt: NumericDate? { storage.expiresAt }
    /// The format of the token.
    public var format: Format { storage.format }
    /// The proof of possession of the token.
    public var binding: Binding { storage.binding }
    /// All claims, including those unknown to the gate: untrusted text from a trusted issuer.
    public var claims: JSONObject { storage.claims }

    /// The remaining lifetime by the policy under which the token was accepted; `nil` if it does not expire.
    package var remainingTime: Duration? { expiresAt.map { storage.rules.remainingTime(until: $0) } }

    /// Whether a status list can withdraw the token.
    package var hasStatus: Bool { storage.status != nil }

    /// Whether the token would be refused now for its status, or for lack of its list.
    ///
    /// Reads the list at hand; fetches none.
    package var isRefusedByStatus: Bool {
        guard let status = storage.status else { return false }
        let now = storage.rules.uptime
        return !status.isKnownGood(at: now) && !status.admits(at: now)
    }

    /// The elements of `authorization_details` that are for this resource and of a type that it knows.
    ///
    /// RFC 9396 §9.
    public var authorizationDetails: [AuthorizationDetail] { storage.rules.details(of: storage) }

    /// Whether the token has all of these scopes, directly or by implication.
    public func carries(_ scopes: Scope...) -> Bool {
        scopes.allSatisfy(storage.granted.contains)
    }

    /// Throws a refusal unless the token meets a requirement, such as scopes, directly or by implication.
    ///
    /// For requirements that depend on the data, such as the owner of a note. Does not wait, and does not know
    /// the request: traps on ``AccessRequirement/freshlyIntrospected()``, on operations and on decisions.
    ///
    /// - Throws: ``Refusal`` with 403 and `insufficient_scope`, or with 401 and
    ///   `insufficient_user_authentication`.
    ///
    /// RFC 6750 §3.1, RFC 9470 §3.
    public func require(
        _ requirement: AccessRequirement, file: StaticString = #fileID, line: UInt = #line
    ) throws(Refusal) {
        endUnless(
            !requirement.needsFreshIntrospection,
            "Fresh introspection can be required only by a route, not of a validated token.", file: file,
            line: line)
        endUnless(
            requirement.conditions?.operations == nil && requirement.conditions?.decision == nil,
            "Operations and decisions can be required only by a route, not of a validated token.", file: file,
            line: line)
        guard let reason = storage.rules.shortcoming(of: storage, for: requirement) else { return }
        var refusal = storage.rules.challenger.refusal(
            reason, answering: .with(binding == .dpop ? .dpop : .bearer), requiring: requirement)
        refusal.finding = RefusalFinding(reason, of: storage, for: requirement)
        throw refusal
    }

    /// A fixed text without any content.
    public var description: String { "AccessToken(redacted)" }
    /// A fixed text without any content.
    public var debugDescription: String { description }
    /// A fixed text without any content.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// The content of a token, shared by all copies.
    package final class Storage: Sendable {
        let resource: ResourceIdentifier
        let rules: AccessRules
        let issuer: String
        let subject: String?
        let clientID: String?
        let scopes: [Scope]
        /// The scopes with all implied ones.
        let granted: GrantedScopes
        let audience: [String]
        let expiresAt: NumericDate?
        let notBefore: NumericDate?
        let format: Format
        let confirmation: Confirmation
        let binding: Binding
        let claims: JSONObject
        /// The token's place in a status list; `nil` if it needs none.
        let status: TokenStatus?

        init(
            _ claims: CheckedClaims, format: Format, issuer: String, resource: ResourceIdentifier,
            rules: AccessRules, status: TokenStatus? = nil
        ) {
            self.status = status
            self.resource = resource
            self.rules = rules
            self.issuer = issuer
            self.format = format
            confirmation = claims.confirmation
            // The binding of a validated token has been proven.
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
