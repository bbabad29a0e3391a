// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// What was wrong with an authorization server, for the operator's log.
///
/// Holds no text from the network.
///
/// RFC 8414 §3.2, §3.3, RFC 7662 §2.3.
@nonexhaustive
public enum AuthorizationServerFault: Error, Sendable, Hashable {
    /// There was no response.
    case noResponse(FetchError)
    /// A response with another status than 200.
    case status(Int)
    /// A body that is not the JSON that belongs there.
    case malformedDocument
    /// A metadata document whose `issuer` is not, byte for byte, the one that was configured. RFC 8414 §3.3.
    case issuerMismatch
    /// A URL in the metadata that is not https.
    case insecureURL
    /// A metadata document without the member that is needed.
    case missingMember
    /// A key set in which no key can be used.
    case emptyKeySet
    /// The introspection endpoint refused our own credentials. RFC 7662 §2.3.
    case rejectedCredentials
    /// An introspection answer that is not signed, where signed ones are demanded. RFC 9701 §5.
    case unsignedAnswer
    /// A signed introspection answer that does not verify, or was not made for this resource. RFC 9701 §5.
    case untrustedAnswer
    /// The proof of who asks could not be made: OpenSSL did not sign.
    case unusableCredentials
    /// More introspection calls at the same time than the limit.
    case tooManyCalls
    /// Nobody was asked, since the last calls have failed and the next attempt is not due.
    case callsSuspended
}

/// Something that the operator of a resource should know.
///
/// Holds no secrets and no text from input.
@nonexhaustive
public enum ResourceEvent: Sendable, Hashable {
    /// The keys of an issuer were loaded for the first time, or are others than before.
    case keysChanged(issuer: String, keyCount: Int)
    /// The metadata of an issuer was loaded for the first time, or is another than before.
    case metadataChanged(issuer: String)
    /// Endpoints, the keys' location or authentication methods in the metadata of an issuer are others than before, by member name.
    ///
    /// Planned by its operator, one hopes. RFC 9728 §7.6.
    case authorizationServerChanged(issuer: String, members: [String])
    /// A replacement of a server's routes has changed the metadata of a resource: SHA-256 of the documents, base64url.
    ///
    /// No old one: the resource is new. No new one: it is gone.
    case documentChanged(resource: ResourceIdentifier, old: String?, new: String?)
    /// Keys of an issuer were published with private members: an incident of theirs. RFC 7517 §9.2.
    case privateKeysPublished(issuer: String)
    /// A key of an issuer's set cannot be used, though it is of a type that is: its place in `keys`, from 0, and why.
    ///
    /// Told for each set that is fetched, for the first eight such keys. RFC 7518 §6.
    case keySkipped(issuer: String, index: Int, reason: JOSEError)
    /// The keys or the metadata of an issuer could not be loaded; the last good ones stay for a while.
    case refreshFailed(issuer: String, fault: AuthorizationServerFault)
    /// A token could not be introspected; the client got 503.
    case introspectionFailed(issuer: String, fault: AuthorizationServerFault)
    /// Introspection has failed so often in a row that nobody is asked for this time; clients get 503 at once.
    case introspectionSuspended(issuer: String, pause: Duration)
    /// Introspection works again.
    case introspectionResumed(issuer: String)
    /// An invalidation reached no other process, since the shared cache is out of reach; here it holds.
    case invalidationNotShared(issuer: String)
    /// The server's metadata does not list the method by which the resource proves who it is. RFC 8414 §2.
    case authenticationMethodNotListed(issuer: String)
    /// The server's metadata does not list scopes that the resource tells its clients to ask for; its list may be partial. RFC 8414 §2.
    case scopesNotListed(issuer: String, resource: ResourceIdentifier, scopes: [Scope])
    /// A token was good, but its `authorization_details` are malformed, so that they grant nothing. Told at most once a minute.
    ///
    /// RFC 9396 §9.1.
    case malformedAuthorizationDetails(issuer: String, resource: ResourceIdentifier)
    /// The server's metadata lists resources, and not this one; its list may be partial. RFC 9728 §4.
    case resourceNotListed(issuer: String, resource: ResourceIdentifier)
}

extension ResourceEvent {
    /// What kind of event it is, as metrics call it: a closed list.
    package var kind: String {
        switch self {
        case .keysChanged: "keys_changed"
        case .metadataChanged: "metadata_loaded"
        case .authorizationServerChanged: "authorization_server_changed"
        case .documentChanged: "document_changed"
        case .privateKeysPublished: "private_keys_published"
        case .keySkipped: "key_skipped"
        case .refreshFailed: "refresh_failed"
        case .introspectionFailed: "introspection_failed"
        case .introspectionSuspended: "introspection_suspended"
        case .introspectionResumed: "introspection_resumed"
        case .invalidationNotShared: "invalidation_not_shared"
        case .authenticationMethodNotListed: "authentication_method_not_listed"
        case .scopesNotListed: "scopes_not_listed"
        case .malformedAuthorizationDetails: "malformed_authorization_details"
        case .resourceNotListed: "resource_not_listed"
        }
    }
}
