// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("CHK-37: the lint of client ID metadata documents")
struct ClientDocumentTests {
    static let url = "https://client.example.com/metadata.json"

    static func document(_ members: JSONObject = [:]) -> JSONObject {
        var object: JSONObject = [
            "client_id": .string(url), "client_name": "Client", "application_type": "native",
            "redirect_uris": ["https://client.example.com/callback", "http://127.0.0.1:7777/callback"],
            "token_endpoint_auth_method": "none",
        ]
        for member in members.members { object[member.name] = member.value.isNull ? nil : member.value }
        return object
    }

    private func report(_ members: JSONObject = [:], at url: String = url) async -> CheckReport {
        let network = ScriptedFetcher()
        network.on(url, json: .object(Self.document(members)))
        return await ClientDocumentCheck(fetcher: network, allowsLoopback: false).report(on: url)
    }

    @Test func `CHK-37: a correct document passes`() async {
        let report = await report()
        #expect(report.outcome == .success)
        #expect(report.findings.allSatisfy { $0.level == .pass })
    }

    @Test(
        arguments: [
            ("client.id", ["client_id": .null]), ("client.id", ["client_id": "https://client.example.com"]),
            ("client.id", ["client_id": "http://client.example.com/metadata.json"]),
            ("client.id", ["client_id": "https://client.example.com/other.json"]),
            ("client.redirect-uris", ["redirect_uris": []]),
            ("client.redirect-uris", ["redirect_uris": ["https://client.example.com/*"]]),
            ("client.redirect-uris", ["redirect_uris": ["http://client.example.com/callback"]]),
            ("client.redirect-uris", ["redirect_uris": ["https://client.example.com/callback#f"]]),
            ("client.secret", ["client_secret": "s"]),
            ("client.secret", ["token_endpoint_auth_method": "client_secret_post"]),
            ("client.secret", ["jwks": ["keys": [["kty": "EC", "d": "x"]]]]),
        ] as [(String, JSONObject)])
    func `CHK-37: a document that servers refuse is a failure`(code: String, members: JSONObject) async {
        let report = await report(members)
        #expect(report.codes(.fail) == [code])
    }

    @Test func `CHK-37: a missing name is a warning, a missing type a note`() async {
        #expect(await report(["client_name": .null]).codes(.warn) == ["client.name"])
        #expect(await report(["application_type": .null]).codes(.note) == ["client.application-type"])
    }

    @Test func `CHK-37: the document is fetched without redirects, as JSON`() async {
        let network = ScriptedFetcher()
        let check = ClientDocumentCheck(fetcher: network, allowsLoopback: false)
        #expect(await check.report(on: Self.url).outcome == .trouble)
        network.on(Self.url) { _ in FetchResponse(status: .found, fields: [.location: "https://x.example/"]) }
        #expect(await check.report(on: Self.url).codes(.fail) == ["client.fetch"])
        network.on(Self.url) { _ in FetchResponse(status: .ok, body: Self.document().serialized()) }
        #expect(await check.report(on: Self.url).codes(.fail) == ["client.fetch"])
        network.on(Self.url) { _ in
            FetchResponse(status: .ok, fields: [.contentType: "application/json"], body: Array("[".utf8))
        }
        #expect(await check.report(on: Self.url).codes(.fail) == ["client.json"])
        #expect(await check.report(on: "http://client.example.com/m").outcome == .trouble)
    }

    @Test func `CHK-37: --client takes a file`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(Self.document(["client_secret": "s"]).serialized()).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let transcript = Transcript()
        #expect(await transcript.run("check", "--client", file.path) == .failure)
        #expect(transcript.output.contains("The public document has client_secret."))
        #expect(await transcript.run("check", "--client", "/nowhere.json") == .trouble)
    }
}
