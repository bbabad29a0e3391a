// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// An event for the operator of a resource.
///
/// Contains no secrets and no text from input.
@nonexhaustive
public enum ResourceEvent: Sendable, Hashable {
    /// The keys of an issuer were loaded for the first time, or changed.
    case keysChanged(issuer: String, keyCount: Int)
    /// The metadata of an issuer was loaded for the first time, or changed.
    case metadataChanged(issuer: String)
    /// Endpoints, key location or authentication methods in an issuer's metadata changed, by member name.
    ///
    /// Check that the issuer's operator planned this. RFC 9728 §7.6.
    case authorizationServerChanged(issuer: String, members: [String])
    /// A replacement of routes changed the metadata of a resource: SHA-256 of the documents, base64url.
    ///
    /// `old` is `nil` for a new resource, `new` is `nil` for a removed one.
    case documentChanged(resource: ResourceIdentifier, old: String?, new: String?)
    /// An issuer published keys with private members: a security incident at the issuer. RFC 7517 §9.2.
    case privateKeysPublished(issuer: String)
    /// A key of a supported type in an issuer's set is unusable: its index in `keys`, from 0, and the reason.
    ///
    /// Reported with each fetched set, for the first eight such keys. RFC 7518 §6.
    case keySkipped(issuer: String, index: Int, reason: JOSEError)
    /// Loading the keys or the metadata of an issuer failed; the last valid ones are used for a while.
    case refreshFailed(issuer: String, fault: AuthorizationServerFault)
    /// Tokens of new tenants get 503: the table of an issuer pattern is full, or too many are unknown.
    ///
    /// Reported at most once a minute. See ``TrustedIssuer/maxTenantCount``.
    case tenantsRefused(issuer: String)
    /// Introspecting a token failed; the client got 503.
    case introspectionFailed(issuer: String, fault: AuthorizationServerFault)
    /// Introspection failed so often in a row that no call is made for this time; clients get 503 at once.
    case introspectionSuspended(issuer: String, pause: Duration)
    /// Introspection works again.
    case introspectionResumed(issuer: String)
    /// An invalidation took effect only in this process, since the shared cache can't be reached.
    case invalidationNotShared(issuer: String)
    /// The server's metadata does not list the resource's client authentication method. RFC 8414 §2.
    case authenticationMethodNotListed(issuer: String)
    /// The server's metadata does not list the algorithm of the resource's client assertions. RFC 8414 §2.
    case assertionAlgorithmNotListed(issuer: String)
    /// The server's metadata lacks scopes that the resource lists; its list may be partial. RFC 8414 §2.
    case scopesNotListed(issuer: String, resource: ResourceIdentifier, scopes: [Scope])
    /// A valid token has malformed `authorization_details`, which grant nothing; at most once a minute.
    ///
    /// RFC 9396 §9.1.
    case malformedAuthorizationDetails(issuer: String, resource: ResourceIdentifier)
    /// An introspection answer was not used: a member, by its name or pointer, and the type that it has.
    ///
    /// At most once a minute for each issuer. RFC 7662 §2.2.
    case unusableIntrospectionAnswer(issuer: String, member: String, found: String)
    /// A token with a `nonce`, which is usual in ID tokens, was accepted; at most once a minute.
    ///
    /// Some servers write the claim into access tokens too. RFC 8725 §3.12.
    case tokenWithNonce(issuer: String, resource: ResourceIdentifier)
    /// A JWT was accepted whose `alg` leaves the curve open, such as `EdDSA`; at most once a minute.
    ///
    /// The issuer should sign with a fully specified algorithm: `Ed25519`. RFC 9864 §2.2,
    /// draft-ietf-oauth-rfc8725bis §3.2.
    case deprecatedAlgorithm(
        issuer: String, resource: ResourceIdentifier, algorithm: SignatureAlgorithm)
    /// The server's metadata lists resources, but not this one; its list may be partial. RFC 9728 §4.
    case resourceNotListed(issuer: String, resource: ResourceIdentifier)
    /// A status list of an issuer was loaded for the first time, or changed.
    case statusListLoaded(issuer: String, entryCount: Int)
    /// A status list could not be loaded; the last one is used for ``StatusListPolicy/gracePeriod``.
    case statusListFailed(issuer: String, fault: AuthorizationServerFault)
    /// Tokens get 503, since their issuer uses more lists than are kept; at most once a minute.
    ///
    /// An issuer with a list for each token learns of each use. draft-ietf-oauth-status-list §12.
    case statusListsRefused(issuer: String)
    /// A token that a status list could withdraw was accepted, since ``StatusListPolicy/use`` is off; once.
    case statusIgnored(issuer: String)
    /// A token was accepted without its status list, as ``StatusListPolicy/failsOpen`` says; each time.
    case statusUnchecked(issuer: String)
}

extension ResourceEvent {
    /// The kind of event in metrics: a closed list.
    package var kind: String {
        switch self {
        case .keysChanged: "keys_changed"
        case .metadataChanged: "metadata_loaded"
        case .authorizationServerChanged: "authorization_server_changed"
        case .documentChanged: "document_changed"
        case .privateKeysPublished: "private_keys_published"
        case .keySkipped: "key_skipped"
        case .refreshFailed: "refresh_failed"
        case .tenantsRefused: "tenants_refused"
        case .introspectionFailed: "introspection_failed"
        case .introspectionSuspended: "introspection_suspended"
        case .introspectionResumed: "introspection_resumed"
        case .invalidationNotShared: "invalidation_not_shared"
        case .authenticationMethodNotListed: "authentication_method_not_listed"
        case .assertionAlgorithmNotListed: "assertion_algorithm_not_listed"
        case .scopesNotListed: "scopes_not_listed"
        case .malformedAuthorizationDetails: "malformed_authorization_details"
        case .unusableIntrospectionAnswer: "unusable_introspection_answer"
        case .tokenWithNonce: "token_with_nonce"
        case .deprecatedAlgorithm: "deprecated_algorithm"
        case .resourceNotListed: "resource_not_listed"
        case .statusListLoaded: "status_list_loaded"
        case .statusListFailed: "status_list_failed"
        case .statusListsRefused: "status_lists_refused"
        case .statusIgnored: "status_ignored"
        case .statusUnchecked: "status_unchecked"
        }
    }
}
