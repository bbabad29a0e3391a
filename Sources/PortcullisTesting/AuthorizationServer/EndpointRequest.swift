// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// A request to the authorization server, without its connection.
struct EndpointRequest: Sendable {
    let method: String
    let path: String
    let query: [UInt8]
    let authorization: String?
    /// The values of `DPoP`.
    let proofs: [String]
    let body: [UInt8]

    init(method: String, target: String, fields: [(name: String, value: String)], body: [UInt8]) {
        self.method = method
        let path = target.prefix { $0 != "?" }
        self.path = String(path)
        query = Array(target.utf8.dropFirst(path.utf8.count + 1))
        authorization = fields.first { $0.name.lowercased() == "authorization" }?.value
        proofs = fields.filter { $0.name.lowercased() == "dpop" }.map(\.value)
        self.body = body
    }

    /// The hash of the client's certificate; `nil` without one.
    var certificateThumbprint: String?
}

/// The paths of an issuer's endpoints.
struct EndpointPaths: Sendable {
    /// `scheme://authority`, without a path.
    let origin: String
    /// The path of the issuer, without a trailing slash.
    let base: String

    init(issuer: String) {
        let scheme = issuer.hasPrefix("https://") ? "https://" : issuer.hasPrefix("http://") ? "http://" : ""
        let authority = issuer.dropFirst(scheme.count).prefix { $0 != "/" }
        let origin = issuer[..<authority.endIndex]
        var base = issuer[origin.endIndex...]
        if base.hasSuffix("/") { base = base.dropLast() }
        self.origin = String(origin)
        self.base = String(base)
    }

    func path(of endpoint: TestAuthorizationServer.Endpoint) -> String {
        switch endpoint {
        // RFC 8414 §3.1: inserted between host and path.
        case .metadata: "/.well-known/oauth-authorization-server" + base
        case .keys: base + "/jwks"
        case .registration: base + "/register"
        case .authorization: base + "/authorize"
        case .token: base + "/token"
        case .introspection: base + "/introspect"
        case .revocation: base + "/revoke"
        }
    }

    func url(of endpoint: TestAuthorizationServer.Endpoint) -> String {
        origin + path(of: endpoint)
    }

    func endpoint(at path: String) -> TestAuthorizationServer.Endpoint? {
        TestAuthorizationServer.Endpoint.allCases.first { self.path(of: $0).utf8.elementsEqual(path.utf8) }
    }
}
