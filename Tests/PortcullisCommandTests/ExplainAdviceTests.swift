// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisCommand
import PortcullisConfiguration
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("portcullis explain: advice that ends")
struct ExplainAdviceTests {
    static let maxEditCount = 2

    /// What `explain --json` says about a token.
    struct Advice {
        let isAdmitted: Bool
        let suggestion: JSONObject?
        let objection: String?
        let report: JSONObject
    }

    static func explain(_ token: String, by file: JSONObject, _ more: [String] = []) async throws -> Advice {
        let path = FileManager.default.temporaryDirectory.appending(path: "explain-\(UUID()).json")
        try Data(file.serialized()).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        let transcript = Transcript()
        let words = ["explain", "--config", path.path, "--token", token, "--json"]
        _ = await CommandLineTool.run(
            words + (more.isEmpty ? ["--url", IssuerShape.resource] : more), console: transcript.console())
        let report = try JSONValue.parse(Array(transcript.output.utf8)).object
        let json = try #require(report, "\(transcript.errors)")
        return Advice(
            isAdmitted: json["admitted"]?.bool ?? false, suggestion: json["suggestion"]?.object,
            objection: json["unsound"]?.string, report: json)
    }

    /// Sets the members of a suggestion in the object that it names, and nothing else.
    static func apply(_ suggestion: JSONObject, to file: JSONObject) throws -> JSONObject {
        let place = try #require(suggestion["at"]?.string)
        let members = try #require(suggestion["set"]?.object)
        let path = place.dropFirst().split { ".[]".contains($0) }.map(String.init)
        return try #require(set(members, at: path[...], in: .object(file)).object)
    }

    private static func set(
        _ members: JSONObject, at path: ArraySlice<String>, in value: JSONValue
    ) -> JSONValue {
        guard let step = path.first else {
            var object = value.object ?? [:]
            for member in members.members { object[member.name] = member.value }
            return .object(object)
        }
        if let index = Int(step) {
            var array = value.array ?? []
            if index == array.count { array.append(.object([:])) }
            array[index] = set(members, at: path.dropFirst(), in: array[index])
            return .array(array)
        }
        var object = value.object ?? [:]
        object[step] = set(members, at: path.dropFirst(), in: object[step] ?? .object([:]))
        return .object(object)
    }

    /// Follows the advice until the token is admitted or there is none.
    static func follow(
        _ token: String, from start: JSONObject
    ) async throws -> (file: JSONObject, editCount: Int, last: Advice) {
        var file = start
        for count in 0...maxEditCount {
            let advice = try await explain(token, by: file)
            guard !advice.isAdmitted, let suggestion = advice.suggestion, count < maxEditCount else {
                return (file, count, advice)
            }
            file = try apply(suggestion, to: file)
            // What is suggested is always a valid file.
            _ = try ConfigurationFile(.object(file))
        }
        throw CancellationError()
    }

    @Test(arguments: IssuerShape.followed)
    func `following the advice ends in two edits, or in a plain statement`(shape: IssuerShape) async throws {
        let issuer = TestIssuer(shape.tokenIssuer, algorithm: .rs256)
        let token = shape.token(by: issuer)
        let start = shape.file(issuer.keys)
        let (file, editCount, last) = try await Self.follow(token, from: start)
        switch shape.end {
        case .admitted:
            #expect(last.isAdmitted, "\(editCount) edits: \(last.objection ?? "") \(file.serialized())")
            #expect(editCount > 0)
            let resource = try Self.resource(file)
            let accepted = try await resource.authorize(
                .get("/notes", bearer: token), requiring: "notes:read")
            #expect(accepted.issuer == shape.tokenIssuer)
        case .unsound:
            #expect(!last.isAdmitted && editCount == 0)
            #expect(last.objection?.hasSuffix(".") == true && last.suggestion == nil)
        case .introspection:
            let suggestion = try #require(try await Self.explain(token, by: start).suggestion)
            #expect(suggestion["at"] == "$.authorization_servers[0]")
            #expect(suggestion["set"]?.object?["introspection"]?.object?["client_id"] != nil)
        }
    }

    @Test(arguments: IssuerShape.followed.filter { $0.end == .admitted })
    func `the edited file still refuses other audiences, other issuers, forged tokens and ID tokens`(
        shape: IssuerShape
    ) async throws {
        let issuer = TestIssuer(shape.tokenIssuer, algorithm: .rs256)
        let (file, _, last) = try await Self.follow(shape.token(by: issuer), from: shape.file(issuer.keys))
        try #require(last.isAdmitted)
        let resource = try Self.resource(file)
        let client = JSONValue.string(IssuerShape.client)
        let others: [(String, String)] = [
            ("another audience", shape.token(by: issuer, changing: ["aud": "https://other.example"])),
            ("another API", shape.token(by: issuer, changing: ["aud": "api://other"])),
            ("another issuer", shape.token(by: issuer, changing: ["iss": "https://other.example"])),
            ("another key", shape.token(by: TestIssuer(shape.tokenIssuer, algorithm: .rs256))),
            (
                "an ID token",
                shape.token(by: issuer, changing: ["aud": client, "nonce": "n", "token_use": "id"])
            ),
            ("an ID token of a code flow", shape.token(by: issuer, changing: ["at_hash": "x"])),
            ("an expired token", shape.token(by: issuer, changing: ["exp": 1_700_000_000])),
            (
                "another client",
                shape.token(
                    by: issuer,
                    changing: ["client_id": "other", "aud": client, "azp": "other", "cid": "other"])
            ),
        ]
        for (name, token) in others {
            let refusal = try await Self.refusal(resource, token)
            #expect(refusal != nil, "\(name) is admitted")
        }
    }

    static func resource(_ file: JSONObject) throws -> ProtectedResource {
        let resources = try ConfigurationFile(.object(file)).makeResources(
            relativeTo: "/c.json", onEvent: { _ in })
        return try #require(resources.first)
    }

    private static func refusal(_ resource: ProtectedResource, _ token: String) async throws -> Refusal? {
        do throws(Refusal) {
            _ = try await resource.authorize(.get("/notes", bearer: token), requiring: "notes:read")
            return nil
        } catch {
            return error
        }
    }

    // MARK: The report

    private static let issuer = TestIssuer("https://as.example.com")
    private static let shape = IssuerShape(
        name: "RFC 9068", configured: issuer.issuer, header: ["typ": "at+jwt"],
        claims: [
            "aud": .string(IssuerShape.resource), "sub": "s", "client_id": "c", "jti": "j",
            "scope": "notes:read",
        ], end: .admitted)

    @Test func `every step is judged, and the fragment is the same for people and programs`() async throws {
        var other = Self.shape
        other.header = ["typ": "JWT"]
        let token = other.token(by: Self.issuer)
        let file = other.file(Self.issuer.keys)
        let advice = try await Self.explain(token, by: file)
        let expected: JSONObject = [
            "at": "$.resources[0].tokens", "set": ["types": ["at+jwt", "JWT"]],
        ]
        #expect(advice.suggestion == expected && advice.objection == nil)
        let outcomes = advice.report["steps"]?.array?.compactMap { $0.object?["outcome"]?.string } ?? []
        #expect(outcomes.filter { $0 == "failed" }.count == 1 && outcomes.contains("would_pass"))
        #expect(!outcomes.contains("not_judged") && !outcomes.contains("not_reached"))

        let path = FileManager.default.temporaryDirectory.appending(path: "explain-\(UUID()).json")
        try Data(file.serialized()).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        let transcript = Transcript()
        _ = await transcript.run("explain", "--config", path.path, "--token", token)
        #expect(
            transcript.output.contains(
                #"suggest:  {"at":"$.resources[0].tokens","set":{"types":["at+jwt","JWT"]}}"#))
        #expect(!transcript.output.contains(token))
    }

    @Test func `an admitted token needs no advice`() async throws {
        let advice = try await Self.explain(
            Self.shape.token(by: Self.issuer), by: Self.shape.file(Self.issuer.keys))
        #expect(advice.isAdmitted && advice.report["suggestion"] == .null && advice.objection == nil)
    }

    @Test(arguments: [("GET", "/notes/none", 404), ("DELETE", "/notes", 405)])
    func `where there is no route, the gate is explained all the same`(
        method: String, path: String, status: Int
    ) async throws {
        let file = Self.shape.file(Self.issuer.keys)
        let words = ["--url", "https://api.example.com" + path, "--method", method]
        let good = try await Self.explain(Self.shape.token(by: Self.issuer), by: file, words)
        #expect(good.isAdmitted && good.report["route"] == .null)
        #expect(good.report["unmatched_status"]?.number?.integer == status)
        var other = Self.shape
        other.header = ["typ": "JWT"]
        let bad = try await Self.explain(other.token(by: Self.issuer), by: file, words)
        #expect(!bad.isAdmitted && bad.suggestion?["at"] == "$.resources[0].tokens")

        let url = FileManager.default.temporaryDirectory.appending(path: "explain-\(UUID()).json")
        try Data(file.serialized()).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        let transcript = Transcript()
        _ = await CommandLineTool.run(
            ["explain", "--config", url.path, "--token", Self.shape.token(by: Self.issuer)] + words,
            console: transcript.console())
        #expect(transcript.output.contains("no route; what is answered after the gate is \(status)"))
    }

    @Test func `the advice repeats no secret of the file`() async throws {
        var other = Self.shape
        other.issuer = "https://as.example.com/"
        other.header = ["typ": "JWT"]
        var file = other.file(Self.issuer.keys)
        let keys = String(repeating: "A", count: 43)
        file = try Self.apply(
            ["at": "$.resources[0].tokens", "set": ["dpop": ["nonce_keys": [.string(keys)]]]], to: file)
        file = try Self.apply(
            [
                "at": "$.authorization_servers[0]",
                "set": [
                    "introspection": [
                        "endpoint": "https://as.example.com/i", "client_id": "c", "client_secret": "s3cret",
                    ]
                ],
            ], to: file)
        for _ in 0..<3 {
            let advice = try await Self.explain(other.token(by: Self.issuer), by: file)
            let text = String(decoding: advice.report.serialized(), as: UTF8.self)
            #expect(!text.contains("s3cret") && !text.contains(keys))
            guard let suggestion = advice.suggestion else { return #expect(advice.isAdmitted) }
            file = try Self.apply(suggestion, to: file)
        }
        #expect(try await Self.explain(other.token(by: Self.issuer), by: file).isAdmitted)
    }
}
