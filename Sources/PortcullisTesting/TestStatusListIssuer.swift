// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP
public import PortcullisJOSE
import Synchronization

/// A status list of an issuer for tests, and the fetcher that a resource gets it from.
///
///     let issuer = TestIssuer("https://login.example.com")
///     let lists = TestStatusListIssuer(of: issuer)
///     let notes = ProtectedResource(
///         "https://api.example.com/notes", trusting: lists.trusted(inflatingWith: ZlibInflater()))
///     let token = issuer.mint(for: notes, claims: lists.claims(at: 7))
///     lists.revoke(7)
///
/// A resource fetches the list again when its `ttl` has passed, 30 seconds at the least: give both a
/// ``ManualClock``.
///
/// draft-ietf-oauth-status-list §4, §5.
public final class TestStatusListIssuer: Fetcher {
    /// What is wrong with each answer; everything else about it is right.
    public enum Fault: Sendable, Hashable {
        /// There is no answer.
        case noAnswer(FetchError)
        /// The answer has this status.
        case status(Status)
        /// The answer is a redirect to this URL.
        case redirect(to: String)
        /// The answer has this media type.
        case mediaType(String)
        /// The answer claims to have a content coding.
        case contentCoding(String)
        /// The answer is this body.
        case body([UInt8])
        /// The header of the list has these parameters, which replace others.
        case header(JSONObject)
        /// The claims of the list have these members, which replace others; `null` removes one.
        case claims(JSONObject)
        /// The list is signed with a key that the issuer does not publish.
        case signedByStranger
        /// The array is these bytes, not a zlib stream of the entries.
        case array([UInt8])
        /// The array inflates to at least so many zeros.
        case bomb(byteCount: Int)
    }

    /// The URI by which tokens name the list.
    public let uri: String
    /// The issuer of the tokens and of the list.
    public let issuer: TestIssuer
    private let bits: Int
    private let timeToLive: Duration?
    private let lifetime: Duration?
    private let stranger: TestIssuer

    private struct State {
        var entries: [UInt8]
        var fault: Fault?
        var requests: [FetchRequest] = []
    }

    private let state: Mutex<State>

    /// Creates a list in which every entry is 0 (VALID).
    ///
    /// - Parameters:
    ///   - issuer: The issuer of the tokens, whose key signs the list.
    ///   - uri: The URI of the list. Default: `/statuslists/1` at the issuer's origin.
    ///   - bits: The number of bits of an entry: 1, 2, 4 or 8. Default 2.
    ///   - count: The number of entries, a multiple of 8. Default 1024.
    ///   - timeToLive: The `ttl`, in whole seconds; `nil` for none. Default 300 seconds.
    ///   - lifetime: The time until `exp`; `nil` for none. Default one hour.
    public init(
        of issuer: TestIssuer, at uri: String? = nil, bits: Int = 2, count: Int = 1024,
        timeToLive: Duration? = .seconds(300), lifetime: Duration? = .seconds(3600)
    ) {
        let origin = (try? HTTPURL(issuer.issuer))?.origin(of: issuer.issuer) ?? issuer.issuer
        self.uri = uri ?? origin + "/statuslists/1"
        self.issuer = issuer
        self.bits = bits
        self.timeToLive = timeToLive
        self.lifetime = lifetime
        stranger = TestIssuer(issuer.issuer, algorithm: issuer.algorithm, time: issuer.time)
        state = Mutex(State(entries: Array(repeating: 0, count: count)))
    }

    /// The issuer with its keys and this list, so that nothing else is fetched.
    public func trusted(
        inflatingWith inflater: any StatusListInflating, use: StatusListPolicy.Use = .honour
    ) -> TrustedIssuer {
        var trusted = issuer.trusted
        trusted.statusLists = StatusListPolicy(use, inflatingWith: inflater)
        trusted.fetcher = self
        return trusted
    }

    /// The claims of a token with this place in the list.
    public func claims(at index: Int) -> JSONObject {
        let reference: JSONObject = ["idx": .number(JSONNumber(index)), "uri": .string(uri)]
        return ["status": .object(["status_list": .object(reference)])]
    }

    /// Makes the token at a place INVALID, from the next fetch on.
    public func revoke(_ index: Int) { set(1, at: index) }

    /// Makes the token at a place SUSPENDED, from the next fetch on.
    public func suspend(_ index: Int) { set(2, at: index) }

    /// Sets the value at a place; needs as many bits as the list has.
    public func set(_ value: UInt8, at index: Int) { state.withLock { $0.entries[index] = value } }

    /// What is wrong with each answer from now on; `nil` for nothing.
    public var fault: Fault? {
        get { state.withLock { $0.fault } }
        set { state.withLock { $0.fault = newValue } }
    }

    /// The requests so far, in order.
    public var requests: [FetchRequest] { state.withLock { $0.requests } }

    /// The list as the issuer publishes it now: a status list token.
    public var token: String { token(state.withLock { $0.entries }, state.withLock { $0.fault }) }

    /// Records a request, and answers one for the list.
    public func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        let (entries, fault) = state.withLock { state in
            state.requests.append(request)
            return (state.entries, state.fault)
        }
        guard request.url == uri else { throw .unreachable }
        var status = Status.ok
        var fields: Fields = [.contentType: "application/statuslist+jwt"]
        var body = Array(token(entries, fault).utf8)
        switch fault {
        case .noAnswer(let error): throw error
        case .status(let other): status = other
        case .redirect(let target):
            status = .found
            fields = [.location: target]
        case .mediaType(let type): fields = [.contentType: type]
        case .contentCoding(let coding): fields.append(coding, for: "Content-Encoding")
        case .body(let other): body = other
        default: break
        }
        return FetchResponse(status: status, fields: fields, body: body)
    }

    private func token(_ entries: [UInt8], _ fault: Fault?) -> String {
        let now = issuer.time.now()
        let array =
            switch fault {
            case .array(let bytes): bytes
            case .bomb(let count): ZlibStreams.zeros(atLeast: count)
            default: ZlibStreams.stored(packed(entries))
            }
        let list: JSONObject = [
            "bits": .number(JSONNumber(bits)), "lst": .string(Base64URL.encode(array)),
        ]
        var claims: JSONObject = [
            "sub": .string(uri), "iat": .number(JSONNumber(now.wholeSeconds ?? 0)),
            "status_list": .object(list),
        ]
        claims["exp"] = lifetime.map { .number(JSONNumber(now.adding($0).wholeSeconds ?? 0)) }
        claims["ttl"] = timeToLive.map { .number(JSONNumber(Int($0.components.seconds))) }
        var header: JSONObject = ["typ": "statuslist+jwt"]
        if case .claims(let others) = fault {
            for (name, value) in others.members.map({ ($0.name, $0.value) }) {
                claims[name] = value.isNull ? nil : value
            }
        }
        if case .header(let others) = fault {
            for (name, value) in others.members.map({ ($0.name, $0.value) }) { header[name] = value }
        }
        return (fault == .signedByStranger ? stranger : issuer).sign(
            header: header, payload: claims.serialized())
    }

    /// The entries of a byte begin at its least significant bit.
    ///
    /// draft-ietf-oauth-status-list §4.1.
    private func packed(_ entries: [UInt8]) -> [UInt8] {
        let perByte = 8 / bits
        var bytes = [UInt8](repeating: 0, count: (entries.count + perByte - 1) / perByte)
        for (index, entry) in entries.enumerated() {
            bytes[index / perByte] |= entry << UInt8(index % perByte * bits)
        }
        return bytes
    }
}
