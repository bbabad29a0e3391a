// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The schemes and places in which a resource accepts tokens.
///
/// RFC 6750 §2, RFC 9449 §7, RFC 9728 §2.
struct Presentation: Sendable {
    let takesHeader: Bool
    let takesBody: Bool
    let takesQuery: Bool
    let takesDPoP: Bool
    let requiresDPoP: Bool

    init(_ metadata: ProtectedResourceMetadata) {
        let methods = metadata.bearerMethodsSupported ?? [.header]
        takesHeader = methods.contains(.header)
        takesBody = methods.contains(.body)
        takesQuery = methods.contains(.query)
        requiresDPoP = metadata.dpopBoundAccessTokensRequired == true
        takesDPoP = Self.dpopAlgorithms(metadata) != nil
    }

    /// The accepted algorithms of proofs, or `nil` if DPoP is not accepted.
    static func dpopAlgorithms(_ metadata: ProtectedResourceMetadata) -> [SignatureAlgorithm]? {
        let listed = metadata.dpopSigningAlgorithmsSupported.compactMap(SignatureAlgorithm.init)
        if !listed.isEmpty { return listed }
        return metadata.dpopBoundAccessTokensRequired == true ? DPoPPolicy.allAlgorithms : nil
    }

    /// Whether bearer tokens are accepted: only if DPoP is not required.
    var takesBearer: Bool { (takesHeader || takesBody || takesQuery) && !requiresDPoP }
    /// Whether tokens are accepted only in the `Authorization` field.
    var isFieldOnly: Bool { !takesBody && !takesQuery }

    /// Describes the accepted places, for an operator.
    var places: String {
        var places: [String] = []
        if takesHeader, !requiresDPoP { places.append("Authorization: Bearer") }
        if takesDPoP { places.append("Authorization: DPoP") }
        if takesBody { places.append("access_token in a form") }
        if takesQuery { places.append("access_token in the query") }
        return places.joined(separator: " or ")
    }

    /// Returns the token of a request; throws if there is none or more than one.
    ///
    /// - Parameters:
    ///   - form: The content, or `nil` if it is not a form or not available.
    ///   - attempt: Set to how the request presents its token, even if this throws.
    func read(
        _ head: borrowing RequestHead, form: [UInt8]?, _ attempt: inout Attempt
    ) throws(RefusalReason) -> PresentedToken {
        let field = try readField(head, &attempt)
        guard isFieldOnly else { return try readAnywhere(field, head, form, &attempt) }
        switch field {
        case .found(let scheme, let range):
            return PresentedToken(scheme, range: range, in: head.bytes)
        case .absent(let reason): throw reason
        }
    }

    private enum Field {
        case absent(RefusalReason)
        case found(Challenge.Scheme, Range<Int>)
    }

    // RFC 6750 §2.1, RFC 9449 §7.1: a scheme that the resource does not accept is like no credentials.
    private func readField(_ head: borrowing RequestHead, _ attempt: inout Attempt) throws(RefusalReason)
        -> Field
    {
        switch Credentials(of: head) {
        case .bearer(let range) where takesHeader:
            attempt = .with(.bearer)
            return .found(.bearer, range)
        case .dpop(let range) where takesDPoP:
            attempt = .with(.dpop)
            return .found(.dpop, range)
        case .empty(let scheme) where scheme == .bearer ? takesHeader : takesDPoP:
            attempt = .with(scheme)
            throw .emptyCredentials
        case .repeated:
            attempt = .unclear
            throw .repeatedCredentials
        case .absent(let reason): return .absent(reason)
        case .bearer, .dpop, .empty: return .absent(.unsupportedScheme)
        }
    }

    // RFC 6750 §2: a client uses one method. A place that is not accepted does not count.
    private func readAnywhere(
        _ field: Field, _ head: borrowing RequestHead, _ form: [UInt8]?, _ attempt: inout Attempt
    ) throws(RefusalReason) -> PresentedToken {
        let others = [bodyParameter(head, form), queryParameter(head)].filter { $0 != .absent }
        switch field {
        case .found(let scheme, let range):
            guard others.isEmpty else {
                attempt = scheme == .dpop ? .unclear : attempt
                throw .severalMethods
            }
            return PresentedToken(scheme, range: range, in: head.bytes)
        case .absent(let reason):
            guard let first = others.first else { throw reason }
            attempt = .with(.bearer)
            guard others.count == 1 else { throw .severalMethods }
            guard case .value(let token) = first else { throw .repeatedCredentials }
            guard !token.isEmpty else { throw .emptyCredentials }
            return PresentedToken(decoded: token)
        }
    }

    // RFC 6750 §2.2: a form, of ASCII characters only.
    private func bodyParameter(_ head: borrowing RequestHead, _ form: [UInt8]?) -> FormParameter {
        guard takesBody, let form, head.isForm, form.allSatisfy({ $0 < 0x80 }) else {
            return .absent
        }
        return FormParameter("access_token", in: form[...])
    }

    // RFC 6750 §2.3.
    private func queryParameter(_ head: borrowing RequestHead) -> FormParameter {
        takesQuery ? FormParameter("access_token", in: head.queryBytes) : .absent
    }

    /// Whether the token of an admitted request is in the query.
    func usesQuery(_ head: borrowing RequestHead) -> Bool {
        takesQuery && queryParameter(head) != .absent
    }
}

/// How a request presents its token; decides which challenge carries the error.
///
/// RFC 9449 §7.2.
package enum Attempt: Sendable, Hashable {
    /// There are no accepted credentials.
    case none
    /// With one scheme.
    case with(Challenge.Scheme)
    /// In more than one way.
    case unclear
}
