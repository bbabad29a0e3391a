// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// Files under `Fixtures`.
enum Fixture {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures")

    static func path(_ name: String) -> String { root.appending(path: name).path }

    static func json(_ name: String) throws -> JSONObject {
        try #require(try JSONValue.parse(Array(Data(contentsOf: root.appending(path: name)))).object)
    }

    static func names(in folder: String) -> [String] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: path(folder))
        return (files ?? []).filter { $0.hasSuffix(".json") }.sorted()
    }
}

@Suite("The agent-readiness score")
struct ReadinessTests {
    @Test func `the scores include the three figures of the published scanners`() {
        let names = Fixture.names(in: "readiness")
        #expect(Set(["pass.json", "warn-no-authz.json", "fail-404.json"]).isSubset(of: names))
        #expect(names.count >= 15)
    }

    @Test(arguments: Fixture.names(in: "readiness"))
    func `each document has the score in its file`(name: String) async throws {
        let fixture = try Fixture.json("readiness/\(name)")
        let response = try #require(fixture["response"]?.object)
        let status = try #require(response["status"]?.number?.integer)
        let type = try #require(response["content_type"]?.string)
        let body = try #require(response["body"]?.string)
        let answer = FetchResponse(
            status: Status(code: status), fields: [.contentType: type], body: Array(body.utf8))

        let readiness = Readiness(answer)
        let expected = try #require(fixture["expected"]?.object?["readiness"]?.object)
        #expect(readiness.json["result"] == expected["result"])
        #expect(readiness.score == expected["score"]?.number?.double)
        #expect(readiness.hasDocument == expected["document"]?.bool)
        #expect(readiness.hasAuthorizationServer == expected["authorization_servers"]?.bool)

        let world = Deployment()
        world.network.on(Deployment.location) { _ in answer }
        let report = await world.report()
        #expect(report.readiness == readiness)
        #expect(report.outcome.word == fixture["expected"]?.object?["result"]?.string)
    }
}
