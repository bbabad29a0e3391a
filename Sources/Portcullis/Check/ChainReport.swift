// SPDX-License-Identifier: MIT

/// What was found on the way that a client takes from a resource to a token: challenge, metadata, authorization servers, keys.
///
/// RFC 9728 §5, §7.6.
public struct ChainReport: Sendable, Hashable {
    /// One thing that is wrong.
    public struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// What it is.
        public let fault: ChainFault
        /// What it is about: the resource identifier, or an issuer; from the configuration, never from the network.
        public let subject: String

        /// One line for a log.
        public var description: String { "\(subject): \(fault.sentence)" }
    }

    /// The resource that the walk began at.
    public let resource: ResourceIdentifier
    /// What is wrong, in the order of the walk.
    public let findings: [Finding]

    /// What stops clients.
    public var failures: [Finding] { findings.filter { $0.fault.isFailure } }
    /// What they can live with.
    public var warnings: [Finding] { findings.filter { !$0.fault.isFailure } }
    /// Whether a client could walk the whole chain.
    public var passes: Bool { failures.isEmpty }
}

/// What can be wrong along the chain: a closed list for logs and metrics.
@nonexhaustive
public enum ChainFault: String, Sendable, Hashable, CaseIterable {
    /// The URL that challenges name gives no complete answer.
    case metadataUnreachable
    /// Something else than 200, a redirect perhaps. RFC 9728 §3.2.
    case metadataStatus
    /// Another media type than `application/json`. RFC 9728 §3.2.
    case metadataMediaType
    /// No JSON object. RFC 9728 §3.2.
    case metadataMalformed
    /// A member that is not what RFC 9728 §2 says: clients drop such a document.
    case metadataInvalid
    /// The `signed_metadata` there does not hold. RFC 9728 §3.3.
    case signedMetadataInvalid
    /// The `signed_metadata` there is attested by somebody whose key clients don't find by the document. RFC 9728 §3.3.
    case signedMetadataUntrusted
    /// Another `resource` than the identifier: clients drop such a document. RFC 9728 §3.3.
    case resourceMismatch
    /// Another document than this process serves, from an older deployment or a cache perhaps.
    case metadataDiffers
    /// The resource itself gives no complete answer.
    case resourceUnreachable
    /// A request without a token is not answered 401.
    case challengeMissing
    /// The challenge is not as the grammar has it. RFC 9110 §11.6.1.
    case challengeMalformed
    /// The challenge does not name the URL of the metadata. RFC 9728 §5.1.
    case challengeMismatch
    /// The challenge asks for scopes that the metadata do not list, or for other proofs than they do. RFC 9728 §2, RFC 9449 §7.1.
    case challengeDiffers
    /// The document names no authorization server.
    case noAuthorizationServer
    /// A listed authorization server has no metadata that counts, at none of the places. RFC 8414 §3, §3.3.
    case discoveryFailed
    /// The metadata of a listed authorization server names another issuer: clients drop it. RFC 8414 §3.3.
    case issuerMismatch
    /// An endpoint of a listed authorization server is not https. RFC 8414 §2.
    case insecureEndpoint
    /// Its `protected_resources` do not name the resource. RFC 9728 §4.
    case resourceNotListed
    /// There are no keys of it that tokens could be verified with.
    case keysUnusable
    /// There is no endpoint to introspect at, or it does not answer as it should.
    case introspectionUnusable
    /// The introspection endpoint refuses the resource's own credentials. RFC 7662 §2.3.
    case introspectionRefused
    /// A scope of the resource is not among its `scopes_supported`. RFC 8414 §2.
    case scopesNotListed
}

extension ChainFault {
    /// Whether it stops clients.
    public var isFailure: Bool {
        switch self {
        case .metadataDiffers, .signedMetadataUntrusted, .challengeDiffers, .noAuthorizationServer,
            .resourceNotListed, .scopesNotListed:
            false
        default: true
        }
    }

    /// What is wrong, in words.
    public var sentence: String {
        switch self {
        case .metadataUnreachable: "the URL that challenges name cannot be reached"
        case .metadataStatus: "the URL that challenges name does not answer 200"
        case .metadataMediaType: "the metadata does not come as application/json"
        case .metadataMalformed: "the metadata is no JSON object"
        case .metadataInvalid: "the metadata there has a member that RFC 9728 forbids"
        case .signedMetadataInvalid: "the signed_metadata there does not hold"
        case .signedMetadataUntrusted:
            "the signed_metadata there is attested by somebody whose key is not found by the metadata"
        case .resourceMismatch: "the metadata there names another resource"
        case .metadataDiffers: "the metadata there is not what this process serves"
        case .resourceUnreachable: "the resource cannot be reached at its own URL"
        case .challengeMissing: "a request without a token is not answered 401"
        case .challengeMalformed: "the challenge there is not as the grammar has it"
        case .challengeDiffers:
            "the challenge there asks for scopes or proofs that the metadata does not name"
        case .challengeMismatch: "the challenge there does not name the URL of the metadata"
        case .noAuthorizationServer: "the metadata names no authorization server"
        case .discoveryFailed: "has no metadata that names it, neither by RFC 8414 nor by OpenID Connect"
        case .issuerMismatch: "its metadata names another issuer"
        case .insecureEndpoint: "an endpoint in its metadata is not https"
        case .resourceNotListed: "its protected_resources do not name the resource"
        case .keysUnusable: "has no keys that can be used"
        case .introspectionUnusable: "has no introspection endpoint that can be used"
        case .introspectionRefused: "its introspection endpoint refuses the resource's own credentials"
        case .scopesNotListed: "its scopes_supported lack a scope of the resource"
        }
    }
}
