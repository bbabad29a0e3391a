// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE

/// Checks of the documents and of the form of the credentials.
extension ConformanceCheck {
    static let documents: [ConformanceCheck] = [
        .init("RFC 9728 §3.1", "the metadata is at its well-known location, for everyone") {
            probe throws(ConformanceProblem) in
            let answer = try await probe.send(path: probe.metadataPath)
            try probe.expectUnmapped(answer, 200)
            guard answer.hasJSON, let document = answer.json else {
                throw ConformanceProblem("expected a JSON object as application/json")
            }
            guard document["resource"]?.string == probe.target.resource.text else {
                throw ConformanceProblem("the member resource must be \(probe.target.resource.text)")
            }
            let servers = document["authorization_servers"]?.strings ?? []
            guard servers.isEmpty || servers.contains(probe.target.issuer.issuer) else {
                throw ConformanceProblem("authorization_servers does not list \(probe.target.issuer.issuer)")
            }
        },
        .init("RFC 9110 §9.3.2", "HEAD of the metadata has the fields and no body") {
            probe throws(ConformanceProblem) in
            let answer = try await probe.send(method: .head, path: probe.metadataPath)
            try probe.expectUnmapped(answer, 200)
            guard answer.hasJSON, answer.body.isEmpty else {
                throw ConformanceProblem("expected the Content-Type, and no body")
            }
        },
        .init("RFC 9110 §15.5.6", "another method of the metadata is 405 with Allow") {
            probe throws(ConformanceProblem) in
            let answer = try await probe.send(method: .post, path: probe.metadataPath)
            try probe.expectUnmapped(answer, 405)
            guard answer.values(of: .allow).first?.contains("GET") == true else {
                throw ConformanceProblem("expected Allow with GET")
            }
        },
        .init("RFC 9728 §3.1", "the metadata of no other resource is there") {
            probe throws(ConformanceProblem) in
            let path = "/.well-known/oauth-protected-resource/no-such-resource-7d1c"
            try probe.expectUnmapped(try await probe.send(path: path), 404)
        },
        .init("Fetch §3.2.2", "every page may read the metadata") { probe throws(ConformanceProblem) in
            let answer = try await probe.send([("Origin", "https://app.example")], path: probe.metadataPath)
            guard answer.values(of: "Access-Control-Allow-Origin") == ["*"] else {
                throw ConformanceProblem("expected Access-Control-Allow-Origin: *")
            }
        },
    ]

    static let credentials: [ConformanceCheck] =
        [
            .init("RFC 6750 §3", "without credentials 401, and a challenge without an error") {
                probe throws(ConformanceProblem) in
                let answer = try await probe.send()
                try probe.expectRefusal(answer, 401, nil)
                guard answer.challenges.first?["scope"] == probe.target.scope else {
                    throw ConformanceProblem("expected the scope \(probe.target.scope ?? "to be left out")")
                }
            },
            .init("RFC 6750 §3.1", "another scheme is no credential") { probe throws(ConformanceProblem) in
                let answer = try await probe.send([("Authorization", "Basic dXNlcjpwYXNz")])
                try probe.expectRefusal(answer, 401, nil)
            },
            .init("RFC 9700 §4.3.2", "a token in the query is no credential") {
                probe throws(ConformanceProblem) in
                let path = probe.path + "?access_token=" + probe.goodToken
                try probe.expectRefusal(try await probe.send(path: path), 401, nil)
            },
            .init("RFC 6750 §2.1", "the scheme without a token is 400") { probe throws(ConformanceProblem) in
                try probe.expectRefusal(
                    try await probe.send([("Authorization", "Bearer")]), 400, "invalid_request")
            },
            .init("RFC 9110 §11.1", "the scheme is not case-sensitive") { probe throws(ConformanceProblem) in
                try probe.expectSuccess(
                    try await probe.send([("Authorization", "bEARER \(probe.goodToken)")]))
            },
            .init("RFC 6750 §2.1", "a good token is let in, and the answer is not stored by caches") {
                probe throws(ConformanceProblem) in
                let answer = try await probe.send(bearer: probe.goodToken)
                try probe.expectSuccess(answer)
                guard !answer.values(of: "Cache-Control").isEmpty else {
                    throw ConformanceProblem("expected Cache-Control")
                }
            },
            .init("RFC 3986 §6.2.2.3", "a path with encoded dot segments is not let in") {
                probe throws(ConformanceProblem) in
                let answer = try await probe.send(
                    [("Authorization", "Bearer \(probe.goodToken)")], path: probe.path + "/%2e%2e/x")
                try probe.expect(answer, 400)
            },
            .init("RFC 9110 §15.5.2", "a path without a route needs a token too") {
                probe throws(ConformanceProblem) in
                let base = probe.target.resource.url.path
                let path = (base.hasSuffix("/") ? String(base.dropLast()) : base) + "/no-such-route-7d1c"
                try probe.expectRefusal(try await probe.send(path: path), 401, nil)
            },
        ]
        + [Method.head, .post, .put, .delete, .patch].map { method in
            .init("RFC 9110 §15.5.2", "\(method.name) needs a token too") {
                probe throws(ConformanceProblem) in
                try probe.expectRefusal(try await probe.send(method: method), 401, nil)
            }
        }

    /// Checks for servers that pass on every field line.
    static let repetitions: [ConformanceCheck] = [
        .init("RFC 6750 §3.1", "two Authorization fields are 400") { probe throws(ConformanceProblem) in
            let token = probe.goodToken
            let answer = try await probe.send([
                ("Authorization", "Bearer \(token)"), ("Authorization", "Bearer \(token)"),
            ])
            try probe.expect(answer, 400)
        }
    ]

    static let scopes: [ConformanceCheck] = [
        .init("RFC 6750 §3.1", "a token without the scope is 403, and the challenge names the scope") {
            probe throws(ConformanceProblem) in
            let token = probe.target.issuer.mint(audience: probe.target.resource.text, scope: "other-7d1c")
            let answer = try await probe.send(bearer: token)
            try probe.expectRefusal(answer, 403, "insufficient_scope")
            guard answer.challenges.first?["scope"] == probe.target.scope else {
                throw ConformanceProblem("expected the scope \(probe.target.scope ?? "")")
            }
        },
        .init("RFC 6749 §3.3", "scopes are compared with regard to case") {
            probe throws(ConformanceProblem) in
            let scope = probe.target.scope ?? ""
            guard scope.uppercased() != scope else { return }
            let token = probe.target.issuer.mint(
                audience: probe.target.resource.text, scope: scope.uppercased())
            try probe.expectRefusal(try await probe.send(bearer: token), 403, "insufficient_scope")
        },
    ]
}
