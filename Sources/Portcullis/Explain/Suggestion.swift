// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// What would make a refused token acceptable: the least change of the declared settings, or why there is none.
///
/// Derived from the token, which may be forged, and from the settings. It is advice for the operator, who
/// decides; nothing applies it by itself. It does not check that the issuer means the token for this API.
@nonexhaustive
public enum Suggestion: Sendable, Hashable {
    /// These settings, and no others, make the token acceptable, as far as all steps could be judged.
    case settings([SuggestedSetting])
    /// No sound setting makes the token acceptable: why, and who can repair it, in one sentence.
    case unsound(String)
}

/// One setting with its complete new value.
@nonexhaustive
public enum SuggestedSetting: Sendable, Hashable {
    /// ``TokenPolicy/format``.
    case format(TokenPolicy.Format)
    /// ``TokenPolicy/acceptedTypes``.
    case acceptedTypes([String])
    /// ``TokenPolicy/algorithms``.
    case algorithms([SignatureAlgorithm])
    /// ``TokenPolicy/requiredClaims``.
    case requiredClaims([String])
    /// ``TokenPolicy/audiences``.
    case audiences([String])
    /// ``TokenPolicy/scopeClaims``.
    case scopeClaims([String])
    /// ``TokenPolicy/maxTokenByteCount``.
    case maxTokenByteCount(Int)
    /// ``TokenPolicy/introspectionAudience``, made optional.
    case optionalIntrospectionAudience
    /// An issuer that is trusted in addition to those that the metadata lists.
    case additionalIssuer(String)
    /// The spelling of a trusted issuer, in its settings and in the metadata.
    case issuerSpelling(from: String, to: String)
    /// The keys of an issuer are those of another, which is operated by the same party.
    case sharedKeys(issuer: String, with: String)
    /// The keys of an issuer are discovered.
    case discoveredKeys(issuer: String)
    /// The issuer introspects opaque tokens; the operator has to add credentials.
    case introspection(issuer: String)
    /// The signature algorithms of one issuer.
    case issuerAlgorithms([SignatureAlgorithm], issuer: String)
    /// The JSON pointers to the client's identifier in the tokens of one issuer.
    case clientIDPointers([String], issuer: String)
    /// The JSON pointers to the scopes in the tokens of one issuer.
    case scopePointers([String], issuer: String)
    /// The value that a claim of one issuer's tokens must have.
    case requiredClaimValue(pointer: String, values: [String], issuer: String)
    /// The claim that stands for the audience in the tokens of one issuer that have none, and its values.
    case audienceFrom(pointer: String, values: [String], issuer: String)
}

extension SuggestedSetting {
    /// The issuer whose settings it belongs to, or `nil` for those of the resource.
    var issuer: String? {
        switch self {
        case .sharedKeys(let issuer, _), .discoveredKeys(let issuer), .introspection(let issuer),
            .issuerAlgorithms(_, let issuer), .clientIDPointers(_, let issuer), .scopePointers(_, let issuer),
            .requiredClaimValue(_, _, let issuer), .audienceFrom(_, _, let issuer):
            issuer
        case .format, .acceptedTypes, .algorithms, .requiredClaims, .audiences, .scopeClaims,
            .maxTokenByteCount, .optionalIntrospectionAudience, .additionalIssuer, .issuerSpelling:
            nil
        }
    }
}

extension Explanation {
    /// What would make the token acceptable, or `nil` if the request was admitted.
    ///
    /// Complete only for an explanation that judged all steps: see
    /// ``ProtectedResource/explain(_:requiring:in:judgingAllSteps:)``. Does not wait.
    ///
    /// - Parameter issuers: Issuers that the operator has configured, but that this resource does not trust.
    public func suggestion(knowing issuers: [String] = []) -> Suggestion? {
        if case .success = decision { return nil }
        return diagnosis.suggestion(knowing: issuers)
    }
}
