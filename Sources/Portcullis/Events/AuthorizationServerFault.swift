// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// A fault of an authorization server, for the operator's log.
///
/// Text from the network is bounded, printable ASCII: an issuer, a media type, the target of a redirect without
/// its query.
///
/// RFC 8414 §3.2, §3.3, RFC 7662 §2.3.
@nonexhaustive
public enum AuthorizationServerFault: Error, Sendable, Hashable {
    /// There was no response.
    case noResponse(FetchError)
    /// Calling this URL failed, for a reason that is none of this case.
    indirect case calling(url: String, AuthorizationServerFault)
    /// A response with another status than 200, and not a redirect.
    case status(Int)
    /// A redirect, which is not followed: its status, and its target without the query.
    case redirect(Int, to: String?)
    /// A body with this content coding, although none was asked for. RFC 9110 §8.4.
    case contentCoding(String)
    /// A body of this media type that is not JSON.
    case mediaType(String)
    /// A body that is not strict JSON.
    case malformedJSON(JSONProblem)
    /// A body that is JSON, but not an object.
    case malformedDocument
    /// A metadata document whose `issuer` is not, byte for byte, the configured one. RFC 8414 §3.3.
    ///
    /// `named` is the document's, or `nil` if it is absent or not a string.
    case issuerMismatch(named: String?, expected: String)
    /// A URL that is not https, or cannot be fetched: the member of the metadata that has it, or `nil` if the
    /// URL is configured.
    case insecureURL(member: String?)
    /// A document without this member, or in which it has the wrong type.
    case missingMember(String)
    /// No location has a valid metadata document with the needed members: the fault of each, in order.
    ///
    /// RFC 8414 §3, OpenID Connect Discovery 1.0 §4.
    case noMetadata([AuthorizationServerFault])
    /// A key set without a usable key.
    case emptyKeySet
    /// The introspection endpoint refused the resource's own credentials. RFC 7662 §2.3.
    case rejectedCredentials
    /// The introspection endpoint refused the resource's client assertion. RFC 7523 §3.2.
    case rejectedAssertion
    /// An unsigned introspection response although signed ones are required. RFC 9701 §5.
    case unsignedAnswer
    /// A signed introspection response that does not verify, or is not for this resource. RFC 9701 §5.
    case untrustedAnswer
    /// The client assertion could not be made: OpenSSL failed to sign.
    case unusableCredentials
    /// More concurrent introspection calls than the limit.
    case tooManyCalls
    /// No call was made, since the last calls failed and the next attempt is not due.
    case callsSuspended
    /// A status list that is not used. draft-ietf-oauth-status-list §8.3.
    case unusableStatusList(StatusListFault)
}
