// SPDX-License-Identifier: MIT

import Foundation
import Hummingbird
import JWTKit
import Logging

// A guarded route as an app writes it with Hummingbird and JWTKit. It verifies every token, as JWTKit has no
// cache.
// hummingbird-peer PORT JWKS ISSUER AUDIENCE

struct AccessToken: JWTPayload {
    var iss: IssuerClaim
    var aud: AudienceClaim
    var exp: ExpirationClaim
    var sub: SubjectClaim
    var scope: String

    func verify(using algorithm: some JWTAlgorithm) throws {
        try exp.verifyNotExpired()
    }
}

struct Gate<Context: RequestContext>: RouterMiddleware {
    let keys: JWTKeyCollection
    let issuer: String
    let audience: String
    let scope: Substring

    func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let value = request.headers[.authorization], value.hasPrefix("Bearer ") else {
            throw HTTPError(.unauthorized, headers: [.wwwAuthenticate: "Bearer"])
        }
        do {
            let token = try await keys.verify(String(value.dropFirst(7)), as: AccessToken.self)
            try token.aud.verifyIntendedAudience(includes: audience)
            guard token.iss.value == issuer else {
                throw JWTError.generic(identifier: "iss", reason: "unknown")
            }
            guard token.scope.split(separator: " ").contains(scope) else { throw HTTPError(.forbidden) }
        } catch is JWTError {
            throw HTTPError(.unauthorized, headers: [.wwwAuthenticate: #"Bearer error="invalid_token""#])
        }
        return try await next(request, context)
    }
}

let words = CommandLine.arguments
guard words.count == 5, let port = Int(words[1]) else {
    print("hummingbird-peer PORT JWKS ISSUER AUDIENCE")
    exit(2)
}
var logger = Logger(label: "hummingbird-peer")
logger.logLevel = .error

let keys = try await JWTKeyCollection(logger: logger).add(
    jwksJSON: String(contentsOfFile: words[2], encoding: .utf8))
let router = Router()
router.get("hello") { _, _ in "Hello, world" }
router.group("api").add(middleware: Gate(keys: keys, issuer: words[3], audience: words[4], scope: "read"))
    .get("hello") { _, _ in "Hello, world" }
let application = Application(
    router: router, configuration: .init(address: .hostname("127.0.0.1", port: port), backlog: 1024),
    logger: logger)
try await application.runService()
