// SPDX-License-Identifier: MIT

/// Why a status list of an issuer can't be used.
///
/// Contains no text of the list but the media type.
///
/// draft-ietf-oauth-status-list §5.1, §8.2, §8.3.
@nonexhaustive
public enum StatusListFault: Error, Sendable, Hashable {
    /// The response has this media type, or none.
    case mediaType(String?)
    /// The response is no signed JWT.
    case malformedToken
    /// `typ` is not `statuslist+jwt`.
    case wrongType
    /// The algorithm is not accepted for the issuer's tokens.
    case unsupportedAlgorithm
    /// No key of the issuer verifies the signature.
    case invalidSignature
    /// `sub` is not the URI by which access tokens name the list.
    case subjectMismatch
    /// `iss` is there, and is another issuer.
    case issuerMismatch
    /// `exp` has passed.
    case expired
    /// `iat`, `exp` or `ttl` has no acceptable value, or `iat` is absent.
    case malformedTime(String)
    /// `bits` or `lst` of `status_list` has no acceptable value.
    case malformedList(String)
    /// `lst` is not exactly one zlib stream.
    case malformedCompression
    /// The inflated list is longer than ``StatusListPolicy/maxListByteCount``.
    case tooLarge
    /// The lists in use leave no room for it in 64 MiB.
    case noRoom
    /// ``StatusListPolicy/inflater`` is not set.
    case noInflater
}

extension StatusListFault: CustomStringConvertible {
    /// A phrase for a log.
    public var description: String {
        switch self {
        case .mediaType(let type?): "the answer is \(type), not application/statuslist+jwt"
        case .mediaType(nil): "the answer has no media type; it must be application/statuslist+jwt"
        case .malformedToken: "the answer is no signed JWT"
        case .wrongType: "the typ of the list is not statuslist+jwt"
        case .unsupportedAlgorithm: "the list is signed with an algorithm that is not accepted of the issuer"
        case .invalidSignature: "no key of the issuer verifies the signature of the list"
        case .subjectMismatch: "the sub of the list is not the URI that tokens name, character by character"
        case .issuerMismatch: "the list names another issuer"
        case .expired: "the list has expired"
        case .malformedTime(let name): "the \(name) of the list is missing or has no acceptable value"
        case .malformedList(let name): "the \(name) of the list is missing or has no acceptable value"
        case .malformedCompression: "the lst of the list is not one zlib stream"
        case .tooLarge: "the list inflates to more than max_list_bytes"
        case .noRoom: "the lists in use leave no room for it in 67108864 bytes"
        case .noInflater: "nothing inflates status lists; set an inflater in the issuer's policy"
        }
    }
}
