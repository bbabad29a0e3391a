// SPDX-License-Identifier: MIT

public import Portcullis

/// The reason that a resource or its authorization server could not be discovered.
///
/// Text from the network is bounded, printable ASCII.
///
/// RFC 9728 §3.3, RFC 8414 §3.3.
@nonexhaustive
public enum DiscoveryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The URL is not a resource identifier: not https, with a fragment, or malformed.
    case invalidURL
    /// A URL in a challenge or in metadata that may not be fetched: not https, or with a fragment.
    case insecureURL
    /// There was no response.
    case noResponse(FetchError)
    /// Calling this URL of an authorization server failed, for a reason that is none of this case.
    indirect case calling(url: String, DiscoveryError)
    /// A response with another status than 200; redirects are not followed.
    case status(Int)
    /// The media type is not `application/json`. RFC 9728 §3.2.
    case wrongMediaType
    /// The body is not one strict JSON object.
    case malformedDocument
    /// Members violate RFC 9728 §2; the error lists all of them.
    case invalidMetadata(ConfigurationError)
    /// The document is about another resource than the requested one. RFC 9728 §3.3.
    case resourceMismatch
    /// The document is about another issuer than the requested one. RFC 8414 §3.3.
    ///
    /// `named` is the document's, or `nil` if it is absent or not a string.
    case issuerMismatch(named: String?, expected: String)
    /// The `signed_metadata` of the document is invalid. RFC 9728 §2.2, §3.3.
    case signedMetadata(SignedMetadataFault)

    /// The problem as a sentence.
    public var description: String {
        switch self {
        case .invalidURL: "The value is not the https URL of a resource."
        case .insecureURL: "The next URL to fetch is not https."
        case .noResponse(.unreachable): "The host can't be reached."
        case .noResponse(.forbiddenAddress):
            "The host has a private address; connections to those are not allowed."
        case .noResponse(.untrustedServer): "The certificate of the server is not trusted."
        case .noResponse(.timedOut): "There was no complete answer in time."
        case .noResponse(.tooLarge): "The answer is too large."
        case .noResponse(.malformedResponse): "The answer is not valid HTTP."
        case .noResponse(.noFetcher): "No fetcher is configured."
        case .noResponse(.failed(let error)):
            "The request failed: \(error)."
        case .calling(let url, let error): "\(url): \(error)"
        case .status(let code) where (300..<400).contains(code):
            "The answer is a redirect (\(code)), which is not followed."
        case .status(let code): "The answer has status \(code), not 200."
        case .wrongMediaType: "The media type is not application/json (RFC 9728 §3.2)."
        case .malformedDocument: "The body is not one strict JSON object."
        case .invalidMetadata(let error): error.description
        case .resourceMismatch:
            "The document's resource is not, byte for byte, the requested one (RFC 9728 §3.3)."
        case .issuerMismatch(let named?, let expected):
            "The document's issuer is \"\(named)\", not \"\(expected)\", byte for byte (RFC 8414 §3.3)."
        case .issuerMismatch(nil, let expected):
            "The document has no issuer; it must be \"\(expected)\" (RFC 8414 §3.3)."
        case .signedMetadata(let fault): fault.description
        }
    }
}

extension DiscoveryError {
    /// The error without the URL that was called.
    public var cause: DiscoveryError {
        if case .calling(_, let error) = self { error.cause } else { self }
    }

    /// The error with the URL that was called, unless it has one already.
    func whenCalling(_ url: String) -> DiscoveryError {
        if case .calling = self { self } else { .calling(url: ForeignText.shown(url), self) }
    }

    /// The error to report when several locations were tried: the one that says most about the server.
    static func mostTelling(_ first: DiscoveryError?, _ second: DiscoveryError) -> DiscoveryError {
        guard let first else { return second }
        return second.weight > first.weight ? second : first
    }

    private var weight: Int {
        switch cause {
        case .issuerMismatch: 4
        case .malformedDocument: 3
        case .status(404), .status(410): 1
        default: 2
        }
    }
}

/// The reason that `signed_metadata` is invalid.
///
/// RFC 9728 §2.2, §3.3.
@nonexhaustive
public enum SignedMetadataFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// It is not a compact JWS of a JSON object, or a claim has the wrong type.
    case malformed
    /// It has no `iss`.
    case missingIssuer
    /// It contains `signed_metadata` itself.
    case nested
    /// Its issuer is neither the resource nor a configured signer.
    case untrustedIssuer
    /// The keys of its issuer can't be loaded.
    case keysUnavailable
    /// Its algorithm is not supported, or no key of its issuer fits it.
    case unknownKey
    /// The signature does not verify.
    case invalidSignature
    /// Its `exp` has passed, or its `nbf` has not.
    case expired

    /// The problem as a sentence.
    public var description: String {
        switch self {
        case .malformed: "signed_metadata is not a compact JWS of a JSON object (RFC 9728 §2.2)."
        case .missingIssuer: "signed_metadata has no iss claim (RFC 9728 §2.2)."
        case .nested: "signed_metadata contains signed_metadata itself (RFC 9728 §2.2)."
        case .untrustedIssuer: "The issuer of signed_metadata is not trusted (RFC 9728 §3.3)."
        case .keysUnavailable: "The keys of the issuer of signed_metadata can't be loaded (RFC 9728 §3.3)."
        case .unknownKey: "No key of its issuer fits signed_metadata (RFC 9728 §3.3)."
        case .invalidSignature: "The signature of signed_metadata does not verify (RFC 9728 §3.3)."
        case .expired: "signed_metadata has expired, or is not valid yet (RFC 7519 §4.1.4)."
        }
    }
}
