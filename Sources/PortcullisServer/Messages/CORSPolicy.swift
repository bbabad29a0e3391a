// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP

/// The CORS policy of an API: which web pages may call it and read its responses.
///
/// Only browsers enforce it, and it protects nothing: the gate does. Cookies are never allowed (no
/// `Access-Control-Allow-Credentials`), because a page sets `Authorization` itself.
///
/// WHATWG Fetch, CORS protocol; RFC 9449 §7.1.
public struct CORSPolicy: Sendable, Hashable {
    /// The fields that a page may send by default; a wildcard never covers `Authorization`.
    public static let defaultAllowedFields: [FieldName] = [
        "Authorization", "Content-Type", "Accept", "DPoP", "MCP-Protocol-Version", "Mcp-Session-Id",
        "Last-Event-ID", "Mcp-Method", "Mcp-Name",
    ]
    /// The fields that a page may read by default, in addition to the CORS-safelisted ones: challenge and
    /// nonce.
    ///
    /// RFC 9449 §8.
    public static let defaultExposedFields: [FieldName] = ["WWW-Authenticate", "DPoP-Nonce"]

    /// The fields that a page may send.
    public var allowedFields = defaultAllowedFields
    /// The fields of a response that a page may read.
    ///
    /// The server adds `X-Request-Id` if it assigns request IDs.
    public var exposedFields = defaultExposedFields {
        didSet { exposedText = Self.list(exposedFields) }
    }
    /// How long a browser may cache the response to a preflight.
    ///
    /// Default 600 seconds; browsers have their own bounds.
    public var maxAge = Duration.seconds(600)

    /// The session of MCP revisions before 2026-07-28, which their clients read from a response.
    ///
    /// MCP transports 2025-11-25, "Session Management".
    package static let sessionField: FieldName = "Mcp-Session-Id"

    /// The same policy, with the fields of MCP clients: they send and read `Mcp-Session-Id`.
    package func servingMCP() -> CORSPolicy {
        var policy = self
        if !allowedFields.contains(Self.sessionField) { policy.allowedFields.append(Self.sessionField) }
        if !exposedFields.contains(Self.sessionField) { policy.exposedFields.append(Self.sessionField) }
        return policy
    }

    private let origins: Origins
    /// The exposed fields as sent with every response, made once.
    private var exposedText = list(defaultExposedFields)

    private enum Origins: Sendable, Hashable {
        case any
        case listed([String])
    }

    /// The allowed origins; `nil` if every origin is.
    var listedOrigins: [String]? { if case .listed(let listed) = origins { listed } else { nil } }

    /// A policy that allows the origins of both, and exposes the fields of both.
    func joined(with other: CORSPolicy) -> CORSPolicy {
        var joined = CORSPolicy.anyOrigin
        if case .listed(let own) = origins, case .listed(let others) = other.origins {
            joined = CORSPolicy(origins: .listed(own + others.filter { !own.contains($0) }))
        }
        joined.exposedFields = exposedFields + other.exposedFields.filter { !exposedFields.contains($0) }
        return joined
    }

    /// Every origin.
    public static let anyOrigin = CORSPolicy(origins: .any)

    private init(origins: Origins) {
        self.origins = origins
    }

    /// Allows pages of some origins.
    ///
    /// - Parameter origins: Each as a browser sends it, `https://app.example.com` or `http://localhost:3000`:
    ///   scheme, host in lower case, port only if it is not the scheme's default. Or `*` alone, for every
    ///   origin.
    /// - Throws: `ConfigurationError` with every origin that no browser would send.
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

    /// The problem with an origin, or `nil` if it is valid.
    ///
    /// RFC 6454 §6.2.
    package static func problem(with origin: String) -> String? {
        if origin == "*" { return "is given with other origins; \"*\" must be the only one" }
        let mustBe =
            "must be an origin as browsers send it: scheme, host in lower case, optional port, and no path"
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
            return "names the scheme's default port; browsers leave it out"
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
    static let allowOrigin: FieldName = "Access-Control-Allow-Origin"
    private static let allowMethods: FieldName = "Access-Control-Allow-Methods"
    private static let allowFields: FieldName = "Access-Control-Allow-Headers"
    private static let exposeFields: FieldName = "Access-Control-Expose-Headers"
    private static let maxAgeField: FieldName = "Access-Control-Max-Age"
    private static let requestMethod: FieldName = "Access-Control-Request-Method"

    /// Whether a request is a CORS preflight.
    ///
    /// Fetch §3.2.2, CORS-preflight request.
    package static func isPreflight(_ head: RequestHead) -> Bool {
        head.method == .options && head.find(.origin) != nil && head.find(requestMethod) != nil
    }

    /// The origin to name in a response: `*`, or the request's origin if it is listed.
    private func origin(for head: RequestHead) -> String? {
        guard case .listed(let origins) = origins else { return "*" }
        guard let (range, count) = head.find(.origin), count == 1 else { return nil }
        let asked = head.bytes[range]
        return origins.first { $0.utf8.elementsEqual(asked) }
    }

    /// Whether pages of the request's origin may call the API.
    func allows(_ head: RequestHead) -> Bool { origin(for: head) != nil }

    /// Adds the CORS fields to a response, refusals included.
    func apply(to response: inout Response, of head: RequestHead, namesRequest: Bool) {
        // A handler that sets the origin itself takes precedence.
        guard !response.fields.contains(Self.allowOrigin) else { return }
        vary(&response.fields)
        guard let origin = origin(for: head) else { return }
        response.fields.append(origin, for: Self.allowOrigin)
        var exposed = exposedText
        if namesRequest { exposed += (exposed.isEmpty ? "" : ", ") + RequestIDSource.field.spelling }
        if !exposed.isEmpty { response.fields.append(exposed, for: Self.exposeFields) }
    }

    /// Removes the fields of another server's policy, before this one is applied.
    static func removeFields(from fields: inout Fields) {
        for field in fields
        where field.name.spelling.utf8.count > 15
            && field.name.spelling.lowercased().hasPrefix("access-control-")
        {
            fields[field.name] = nil
        }
    }

    /// The response to a preflight: 204, with the CORS fields if the origin is allowed.
    ///
    /// - Parameter methods: The methods of all routes of the resource, so that preflights do not reveal
    ///   paths.
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

    /// Adds `Vary` if the response depends on the origin.
    ///
    /// RFC 9110 §12.5.5.
    func vary(_ fields: inout Fields, _ names: String = "Origin") {
        guard origins != .any else { return }
        fields.append(names, for: .vary)
    }

    /// The fields that the response to a preflight varies on.
    private static let preflightVariation =
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

    private static func list(_ names: [FieldName]) -> String {
        names.map(\.spelling).joined(separator: ", ")
    }
}
