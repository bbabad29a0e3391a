// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// The status lists of one issuer: which of its tokens have a status, and how its lists are fetched and verified.
///
/// draft-ietf-oauth-status-list §8.
final class IssuerStatusLists: StatusListSource {
    private let issuer: String
    private let lists: StatusListCache
    private let keys: KeyStore
    private let algorithms: Set<SignatureAlgorithm>
    let access: ServerAccess
    /// The origins at which lists may be.
    private let origins: [HTTPURL]
    private let allowsInsecureLoopback: Bool
    private let time: TimeSource
    private let onEvent: @Sendable (ResourceEvent) -> Void
    private let hasToldOfIgnoredStatus = Atomic(false)
    let hasPrefetched = Atomic(false)
    var policy: StatusListPolicy { lists.policy }

    /// The number of lists, and the memory that they take in bytes.
    var fill: (count: Int, byteCount: Int) { lists.fill }

    /// Takes over the lists that were fetched under an earlier declaration of the issuer.
    func inherit(from other: IssuerStatusLists) { lists.inherit(from: other.lists, for: self) }

    /// Fetches the lists that are due; a timer does so too.
    func refreshDueLists() async { await lists.refreshDueLists() }

    /// - Parameters:
    ///   - lists: The lists of all tenants of a pattern, or the issuer's own.
    ///   - access: The access to the issuer's servers, with the bounds of lists.
    init(
        _ trusted: TrustedIssuer, lists: StatusListCache, keys: KeyStore, access: ServerAccess,
        time: TimeSource, onEvent: @escaping @Sendable (ResourceEvent) -> Void
    ) {
        issuer = trusted.issuer
        self.lists = lists
        self.keys = keys
        algorithms = Set(trusted.algorithms ?? SignatureAlgorithm.allCases)
        self.access = access
        origins = trusted.statusListOrigins
        allowsInsecureLoopback = trusted.allowsInsecureLoopback
        self.time = time
        self.onEvent = onEvent
    }

    // MARK: Tokens

    /// The status of a token that has passed all other checks; `nil` if it needs none.
    func status(of claims: JSONObject) -> TokenStatus? {
        let claim = StatusClaim(claims)
        if policy.use == .off {
            let isFirst =
                claim != .absent
                && hasToldOfIgnoredStatus.compareExchange(
                    expected: false, desired: true, ordering: .relaxed
                ).exchanged
            if isFirst { onEvent(.statusIgnored(issuer: issuer)) }
            return nil
        }
        switch claim {
        case .absent: return policy.use == .required ? refused(.missingStatus) : nil
        case .faulty(let reason): return refused(reason)
        case .reference(let reference):
            guard allows(reference.uri) else { return refused(.forbiddenStatusList) }
            return TokenStatus(question(reference.uri), index: reference.index, policy)
        }
    }

    private func refused(_ reason: RefusalReason) -> TokenStatus {
        TokenStatus(question(""), index: 0, policy, fault: reason)
    }

    func question(_ uri: String) -> StatusListQuestion {
        StatusListQuestion(list: StatusListKey(issuer: issuer, uri: uri), lists: lists, source: self)
    }

    /// Whether lists may be at a URL: https, without fragment, at the issuer's origin or a configured one.
    ///
    /// draft-ietf-oauth-status-list §11.4.
    func allows(_ uri: String) -> Bool {
        guard IssuerURL.isFetchable(uri, allowingInsecureLoopback: allowsInsecureLoopback),
            let url = try? HTTPURL(uri)
        else { return false }
        return origins.contains { $0.hasOrigin(of: url) }
    }

    // MARK: Fetching

    // draft-ietf-oauth-status-list §8.1, §12: nothing tells which token, index or client the list is for.
    private static let fields: Fields = [
        .accept: StatusListToken.mediaType, "Accept-Encoding": "identity",
    ]

    /// Fetches a list, verifies it with the issuer's keys and checks its claims.
    func fetch(_ uri: String) async throws(AuthorizationServerFault) -> StatusListToken {
        do throws(AuthorizationServerFault) {
            return try await read(try await body(of: uri), uri)
        } catch {
            throw error.whenCalling(ForeignText.shownURL(uri) ?? "")
        }
    }

    /// The body of the response, after as many redirects as are allowed; all exchanges share one timeout.
    private func body(of uri: String) async throws(AuthorizationServerFault) -> [UInt8] {
        let begun = time.uptime()
        var url = uri
        for hop in 0...policy.maxRedirectCount {
            let left = access.timeout - (time.uptime() - begun)
            guard left > .zero else { throw .noResponse(.timedOut) }
            let response = try await send(url, within: left)
            guard (300..<400).contains(response.status.code) else { return try Self.body(of: response) }
            // draft-ietf-oauth-status-list §8.2, RFC 9110 §15.4.
            guard hop < policy.maxRedirectCount, [301, 302, 303, 307, 308].contains(response.status.code),
                let target = response[.location].flatMap({ Self.target($0, from: url) }), allows(target)
            else { throw AuthorizationServerFault(status: response.status, location: response[.location]) }
            url = target
        }
        throw .noResponse(.timedOut)
    }

    private func send(
        _ url: String, within bound: Duration
    ) async throws(AuthorizationServerFault) -> ServerAccess.Response {
        let outcome = await withCheckedContinuation { waiting in
            access.send(
                .get, url, fields: Self.fields, within: bound,
                passingOn: { (200..<400).contains($0.code) }
            ) { waiting.resume(returning: $0) }
        }
        return try outcome.get()
    }

    private static func body(of response: ServerAccess.Response) throws(AuthorizationServerFault) -> [UInt8] {
        if let coding = response["Content-Encoding"], !ASCII.equalIgnoringCase(coding, "identity") {
            throw .contentCoding(ForeignText.shown(coding))
        }
        let type = response.contentType?.prefix { $0 != ";" && $0 != " " && $0 != "\t" }
        guard let type, ASCII.equalIgnoringCase(String(type), StatusListToken.mediaType) else {
            throw .unusableStatusList(.mediaType(response.contentType.map(ForeignText.shown)))
        }
        return response.body
    }

    /// The target of a redirect: a URL, or a path at the same origin.
    private static func target(_ location: String, from url: String) -> String? {
        guard location.utf8.first == 0x2F, !location.utf8.starts(with: "//".utf8) else { return location }
        return (try? HTTPURL(url)).map { $0.origin(of: url) + location }
    }

    // MARK: Verification

    private func read(
        _ body: [UInt8], _ uri: String
    ) async throws(AuthorizationServerFault) -> StatusListToken {
        do throws(StatusListFault) {
            let claims = try await verifiedClaims(body)
            return try StatusListToken(claims, uri: uri, issuer: issuer, at: time.now())
        } catch {
            throw .unusableStatusList(error)
        }
    }

    // draft-ietf-oauth-status-list §5.1, §11.3: keys of the issuer alone, never one from the header.
    private func verifiedClaims(_ body: [UInt8]) async throws(StatusListFault) -> JSONObject {
        let limits = JSONLimits(maximumByteCount: max(body.count, 1))
        guard let jws = try? CompactJWS(body, maximumByteCount: body.count, limits: limits) else {
            throw .malformedToken
        }
        // RFC 8725 §3.11: an access token is no list.
        guard MediaType.normalized(jws.header.type ?? "").utf8.elementsEqual("statuslist+jwt".utf8) else {
            throw .wrongType
        }
        guard let algorithm = jws.header.algorithm, algorithms.contains(algorithm) else {
            throw .unsupportedAlgorithm
        }
        do throws(JOSEError) {
            try await keys.verify(jws, algorithm, uptime: time.uptime)
        } catch {
            throw .invalidSignature
        }
        guard let claims = try? ClaimsSet(payload: jws.payload, limits: limits) else { throw .malformedToken }
        return claims.json
    }

    // MARK: Reports

    func report(_ incident: StatusListIncident) {
        switch incident {
        case .loaded(let count): onEvent(.statusListLoaded(issuer: issuer, entryCount: count))
        case .failed(let fault): onEvent(.statusListFailed(issuer: issuer, fault: fault))
        case .refused: onEvent(.statusListsRefused(issuer: issuer))
        }
    }

    func reportUncheckedToken() { onEvent(.statusUnchecked(issuer: issuer)) }
}

extension TrustedIssuer {
    /// The origins at which status lists may be.
    var statusListOrigins: [HTTPURL] {
        ([pattern?.issuer(of: "x") ?? issuer] + statusLists.additionalOrigins).compactMap { try? HTTPURL($0) }
    }
}
