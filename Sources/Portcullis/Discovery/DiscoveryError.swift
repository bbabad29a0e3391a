// SPDX-License-Identifier: MIT

/// Why a resource or its authorization server could not be discovered.
///
/// Holds no text from the network.
///
/// RFC 9728 §3.3, RFC 8414 §3.3.
@nonexhaustive
public enum DiscoveryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The URL is no resource identifier: not https, with a fragment, or malformed.
    case invalidURL
    /// A URL in a challenge or in metadata that may not be fetched: not https, or with a fragment.
    case insecureURL
    /// There was no response.
    case noResponse(FetchError)
    /// A response with another status than 200; redirects are not followed.
    case status(Int)
    /// The media type is not `application/json`. RFC 9728 §3.2.
    case wrongMediaType
    /// The body is not one strict JSON object.
    case malformedDocument
    /// A member is not what RFC 9728 §2 says; the error names all of them.
    case invalidMetadata(ConfigurationError)
    /// The document is about another resource than the one that was asked about. RFC 9728 §3.3.
    case resourceMismatch
    /// The document is about another issuer than the one that was asked about. RFC 8414 §3.3.
    case issuerMismatch
    /// The `signed_metadata` of the document does not hold. RFC 9728 §2.2, §3.3.
    case signedMetadata(SignedMetadataFault)

    /// What was wrong, in a sentence.
    public var description: String {
        switch self {
        case .invalidURL: "This is not the https URL of a resource."
        case .insecureURL: "A URL that would be fetched next is not https."
        case .noResponse(.unreachable): "The host can't be reached."
        case .noResponse(.forbiddenAddress): "The host has a private address, which is not connected to."
        case .noResponse(.untrustedServer): "The certificate of the server is not trusted."
        case .noResponse(.timedOut): "There was no complete answer in time."
        case .noResponse(.tooLarge): "The answer is too large."
        case .noResponse(.malformedResponse): "The answer is not HTTP as it should be."
        case .noResponse(.noFetcher): "There is no way to the network."
        case .status(let code) where (300..<400).contains(code):
            "The answer is a redirect (\(code)), which is not followed."
        case .status(let code): "The answer is \(code) and not 200."
        case .wrongMediaType: "The media type is not application/json (RFC 9728 §3.2)."
        case .malformedDocument: "The body is not one strict JSON object."
        case .invalidMetadata(let error): error.description
        case .resourceMismatch:
            "The document's resource is not, byte for byte, the one that was asked about (RFC 9728 §3.3)."
        case .issuerMismatch:
            "The document's issuer is not, byte for byte, the one that was asked about (RFC 8414 §3.3)."
        case .signedMetadata(let fault): fault.description
        }
    }
}

/// What is wrong with `signed_metadata`.
///
/// RFC 9728 §2.2, §3.3.
@nonexhaustive
public enum SignedMetadataFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// It is not a compact JWS of a JSON object, or a claim has the wrong type.
    case malformed
    /// It has no `iss`.
    case missingIssuer
    /// It holds `signed_metadata` itself.
    case nested
    /// Its issuer is neither the resource nor one that was given.
    case untrustedIssuer
    /// The keys of its issuer can't be had.
    case keysUnavailable
    /// Its algorithm is none of ours, or no key of its issuer fits it.
    case unknownKey
    /// The signature is not the key's.
    case invalidSignature
    /// Its `exp` has passed, or its `nbf` has not.
    case expired

    /// What was wrong, in a sentence.
    public var description: String {
        switch self {
        case .malformed: "signed_metadata is not a compact JWS of a JSON object (RFC 9728 §2.2)."
        case .missingIssuer: "signed_metadata does not say who attests it: iss is missing (RFC 9728 §2.2)."
        case .nested: "signed_metadata holds signed_metadata itself (RFC 9728 §2.2)."
        case .untrustedIssuer: "signed_metadata is attested by somebody who is not trusted (RFC 9728 §3.3)."
        case .keysUnavailable: "The keys that signed_metadata is signed with can't be had (RFC 9728 §3.3)."
        case .unknownKey: "No key of its issuer fits signed_metadata (RFC 9728 §3.3)."
        case .invalidSignature: "The signature of signed_metadata is wrong (RFC 9728 §3.3)."
        case .expired: "signed_metadata has expired, or is not valid yet (RFC 7519 §4.1.4)."
        }
    }
}
