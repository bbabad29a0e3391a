// SPDX-License-Identifier: MIT

public import Portcullis

/// The faults that a client would meet between a resource's URL and a token: in the challenge, the metadata,
/// the authorization servers or the keys.
///
/// RFC 9728 §5, §7.6.
public struct ChainReport: Sendable, Hashable {
    /// One fault.
    public struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// The kind of fault.
        public let fault: ChainFault
        /// The resource identifier or the issuer concerned; from the configuration, never from the network.
        public let subject: String
        /// The URL that was called and what was wrong there, or `nil` if ``fault`` says it all.
        ///
        /// Text from the network is bounded, printable ASCII.
        public let detail: String?

        init(fault: ChainFault, subject: String, detail: String? = nil) {
            self.fault = fault
            self.subject = subject
            self.detail = detail
        }

        /// One line for a log.
        public var description: String {
            "\(subject): \(fault.sentence)\(detail.map { ": \($0)" } ?? "")"
        }
    }

    /// The checked resource.
    public let resource: ResourceIdentifier
    /// The faults, in the order of the chain.
    public let findings: [Finding]

    /// The faults that stop clients.
    public var failures: [Finding] { findings.filter { $0.fault.isFailure } }
    /// The faults that do not stop clients.
    public var warnings: [Finding] { findings.filter { !$0.fault.isFailure } }
    /// Whether a client can follow the whole chain.
    public var passes: Bool { failures.isEmpty }
}

/// The faults of the chain: a closed list for logs and metrics.
@nonexhaustive
public enum ChainFault: String, Sendable, Hashable, CaseIterable {
    /// The advertised metadata URL returns no complete response.
    case metadataUnreachable
    /// The metadata URL returns a status other than 200, perhaps a redirect. RFC 9728 §3.2.
    case metadataStatus
    /// The media type is not `application/json`. RFC 9728 §3.2.
    case metadataMediaType
    /// The document is not a JSON object. RFC 9728 §3.2.
    case metadataMalformed
    /// A member violates RFC 9728 §2: clients reject the document.
    case metadataInvalid
    /// The `signed_metadata` of the document is invalid. RFC 9728 §3.3.
    case signedMetadataInvalid
    /// Clients can't find the key of the `signed_metadata`'s issuer through the document. RFC 9728 §3.3.
    case signedMetadataUntrusted
    /// The document's `resource` is not the identifier: clients reject the document. RFC 9728 §3.3.
    case resourceMismatch
    /// The document is not the one of this process; perhaps from an older deployment or a cache.
    case metadataDiffers
    /// The resource itself returns no complete response.
    case resourceUnreachable
    /// A request without a token gets a status other than 401.
    case challengeMissing
    /// The challenge violates the grammar. RFC 9110 §11.6.1.
    case challengeMalformed
    /// The challenge does not name the URL of the metadata. RFC 9728 §5.1.
    case challengeMismatch
    /// The challenge names a scope that the metadata does not list, or different proof algorithms. RFC 9728
    /// §2, RFC 9449 §7.1.
    case challengeDiffers
    /// The document names no authorization server.
    case noAuthorizationServer
    /// A listed authorization server has no valid metadata at any location. RFC 8414 §3, §3.3.
    case discoveryFailed
    /// The metadata of a listed authorization server names another issuer: clients reject it. RFC 8414 §3.3.
    case issuerMismatch
    /// An endpoint of a listed authorization server is not https. RFC 8414 §2.
    case insecureEndpoint
    /// Its `protected_resources` does not list the resource. RFC 9728 §4.
    case resourceNotListed
    /// An issuer has no usable keys.
    case keysUnusable
    /// There is no introspection endpoint, or its response is invalid.
    case introspectionUnusable
    /// The introspection endpoint refuses the resource's own credentials. RFC 7662 §2.3.
    case introspectionRefused
    /// A scope of the resource is not among its `scopes_supported`. RFC 8414 §2.
    case scopesNotListed
}

extension ChainFault {
    /// Whether the fault stops clients.
    public var isFailure: Bool {
        switch self {
        case .metadataDiffers, .signedMetadataUntrusted, .challengeDiffers, .noAuthorizationServer,
            .resourceNotListed, .scopesNotListed:
            false
        default: true
        }
    }

    /// The fault as a phrase.
    public var sentence: String {
        switch self {
        case .metadataUnreachable: "the metadata URL of its challenges can't be reached"
        case .metadataStatus: "the metadata URL of its challenges returns a status other than 200"
        case .metadataMediaType: "the media type of the metadata is not application/json"
        case .metadataMalformed: "the metadata is not a JSON object"
        case .metadataInvalid: "the metadata at the advertised URL violates RFC 9728"
        case .signedMetadataInvalid: "the signed_metadata is invalid"
        case .signedMetadataUntrusted:
            "the key that signs the signed_metadata can't be found through the metadata"
        case .resourceMismatch: "the metadata at the advertised URL names another resource"
        case .metadataDiffers: "the metadata at the advertised URL is not what this process serves"
        case .resourceUnreachable: "the resource can't be reached at its own URL"
        case .challengeMissing: "a request without a token gets a status other than 401"
        case .challengeMalformed: "the challenge violates the grammar"
        case .challengeDiffers:
            "the challenge names a scope that the metadata does not list, or different proof algorithms"
        case .challengeMismatch: "the challenge does not name the URL of the metadata"
        case .noAuthorizationServer: "the metadata names no authorization server"
        case .discoveryFailed: "has no valid metadata at its RFC 8414 or OpenID Connect location"
        case .issuerMismatch: "its metadata names another issuer"
        case .insecureEndpoint: "an endpoint in its metadata is not https"
        case .resourceNotListed: "its protected_resources does not list the resource"
        case .keysUnusable: "has no usable keys"
        case .introspectionUnusable: "has no usable introspection endpoint"
        case .introspectionRefused: "its introspection endpoint refuses the resource's own credentials"
        case .scopesNotListed: "its scopes_supported does not include every scope of the resource"
        }
    }
}
