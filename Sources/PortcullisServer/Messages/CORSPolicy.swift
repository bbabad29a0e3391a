// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP

/// Which web pages may call an API and read its answers, told to their browsers.
///
/// Decides nothing for any other client, and guards nothing: the gate does. Cookies are never allowed (no
/// `Access-Control-Allow-Credentials`), since a token travels in `Authorization`, which a page sets itself.
///
/// WHATWG Fetch, CORS protocol; RFC 9449 §7.1.
public struct CORSPolicy: Sendable, Hashable {
    /// The fields that a page may send by default: `Authorization` is never covered by a wildcard.
    public static let defaultAllowedFields: [FieldName] = [
        "Authorization", "Content-Type", "Accept", "DPoP", "MCP-Protocol-Version", "Mcp-Session-Id",
        "Last-Event-ID", "Mcp-Method", "Mcp-Name",
    ]
    /// The fields that a page may read by default, besides those that every page may: the challenge and the nonce.
    ///
    /// RFC 9449 §8.
    public static let defaultExposedFields: [FieldName] = ["WWW-Authenticate", "DPoP-Nonce"]

    /// The fields that a page may send.
    public var allowedFields = defaultAllowedFields
    /// The fields of an answer that a page may read.
    ///
    /// `X-Request-Id` is added where requests have names.
    public var exposedFields = defaultExposedFields {
        didSet { exposedText = Self.list(exposedFields) }
    }
    /// How long a browser may remember the answer to a preflight.
    ///
    /// Default 600 seconds; browsers have bounds of their own.
    public var maxAge = Duration.seconds(600)

    private let origins: Origins
    /// What is sent with every answer, made once.
    private var exposedText = list(defaultExposedFields)

    private enum Origins: Sendable, Hashable {
        case any
        case listed([String])
    }

    /// Every origin.
    public static let anyOrigin = CORSPolicy(origins: .any)

    private init(origins: Origins) {
        self.origins = origins
    }

    /// Allows pages of some origins.
    ///
    /// - Parameter origins: Each as a browser writes it, `https://app.example.com` or `http://localhost:3000`: scheme, host in lower case,
    ///   port only if it is not the scheme's own. Or `*` alone, for every origin.
    /// - Throws: `ConfigurationError` with every one that no browser would send.
    public init(allowing origins: [String]) throws(ConfigurationError) {
        if origins == ["*"] {
            self = .anyOrigin
            return
        }
        let problems = origins.compactMap { Self.problem(with: $0) }
        guard problems.isEmpty else {
            throw ConfigurationError(problems.map { ConfigurationError.Problem("an allowed origin \($0)") })
        }
        self.init(origins: .listed(origins))
    }

    /// What is wrong with an origin, or nothing.
    ///
    /// RFC 6454 §6.2.
    package static func problem(with origin: String) -> String? {
        if origin == "*" { return "stands beside other origins; \"*\" must stand alone" }
        let mustBe =
            "must be an origin as browsers send it: scheme, host in lower case, perhaps a port, and no path"
        let bytes = Array(origin.utf8)
        guard let colon = bytes.firstIndex(of: 0x3A), bytes[colon...].starts(with: "://".utf8),
            bytes[..<colon].first.map({ (0x61...0x7A).contains($0) }) == true,
            bytes[..<colon].allSatisfy(isSchemeCharacter)
        else { return mustBe }
        let range = (colon + 3)..<bytes.count
        guard let authority = Authority(bytes, range),
            !bytes[range].contains(where: { (0x41...0x5A).contains($0) || $0 == 0x2A }),
            authority.port != nil || authority.host == range
        else { return mustBe }
        let scheme = String(decoding: bytes[..<colon], as: UTF8.self)
        if let port = authority.port, port == ["http": 80, "https": 443][scheme] {
            return "names the port that goes without saying; browsers leave it out"
        }
        return nil
    }

    private static func isSchemeCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, 0x2B, 0x2D, 0x2E: true
        default: false
        }
    }
}

extension CORSPolicy {
    private static let allowOrigin: FieldName = "Access-Control-Allow-Origin"
    private static let allowMethods: FieldName = "Access-Control-Allow-Methods"
    private static let allowFields: FieldName = "Access-Control-Allow-Headers"
    private static let exposeFields: FieldName = "Access-Control-Expose-Headers"
    private static let maxAgeField: FieldName = "Access-Control-Max-Age"
    private static let requestMethod: FieldName = "Access-Control-Request-Method"

    /// Whether a request asks, on behalf of a page, whether another one may be sent.
    ///
    /// Fetch §3.2.2, CORS-preflight request.
    package static func isPreflight(_ head: RequestHead) -> Bool {
        head.method == .options && head.find(.origin) != nil && head.find(requestMethod) != nil
    }

    /// The origin to name in an answer: `*`, or that of the request if it is listed.
    private func origin(for head: RequestHead) -> String? {
        guard case .listed(let origins) = origins else { return "*" }
        guard let (range, count) = head.find(.origin), count == 1 else { return nil }
        let asked = head.bytes[range]
        return origins.first { $0.utf8.elementsEqual(asked) }
    }

    /// Says in every answer, refusals too, who may read what.
    func apply(to response: inout Response, of head: RequestHead, namesRequest: Bool) {
        // A handler that speaks of origins itself knows better.
        guard !response.fields.contains(Self.allowOrigin) else { return }
        vary(&response.fields)
        guard let origin = origin(for: head) else { return }
        response.fields.append(origin, for: Self.allowOrigin)
        var exposed = exposedText
        if namesRequest { exposed += (exposed.isEmpty ? "" : ", ") + RequestIDSource.field.spelling }
        if !exposed.isEmpty { response.fields.append(exposed, for: Self.exposeFields) }
    }

    /// The answer to a preflight: 204, with what is allowed to the origins that may.
    ///
    /// - Parameter methods: Those of all routes of the resource, so that no one learns here which paths there are.
    func preflight(_ head: RequestHead, methods: String) -> Response {
        var response = Response.noContent
        vary(&response.fields, Self.preflightVariation)
        guard let origin = origin(for: head) else { return response }
        response.fields.append(origin, for: Self.allowOrigin)
        response.fields.append(methods, for: Self.allowMethods)
        response.fields.append(Self.list(allowedFields), for: Self.allowFields)
        response.fields.append("\(max(0, maxAge.components.seconds))", for: Self.maxAgeField)
        return response
    }

    /// Where the answer differs from origin to origin, no cache may give one's to another.
    ///
    /// RFC 9110 §12.5.5.
    private func vary(_ fields: inout Fields, _ names: String = "Origin") {
        guard origins != .any else { return }
        fields.append(names, for: .vary)
    }

    /// What makes a request a preflight, too.
    private static let preflightVariation =
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

    private static func list(_ names: [FieldName]) -> String {
        names.map(\.spelling).joined(separator: ", ")
    }
}
