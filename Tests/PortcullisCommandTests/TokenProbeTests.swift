// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("Probes with the user's tokens")
struct TokenProbeTests {
    /// The findings about tokens on a resource with these faults.
    private func report(
        _ faults: GuardFault..., isMCP: Bool = false, tokens make: (GuardedWorld) -> CheckTokens = Self.good
    ) async -> CheckReport {
        let world = GuardedWorld(Set(faults), isMCP: isMCP)
        return await world.report(make(world), isMCP: isMCP)
    }

    private static func good(_ world: GuardedWorld) -> CheckTokens { CheckTokens(token: world.token()) }

    /// All kinds of tokens.
    private static func all(_ world: GuardedWorld) -> CheckTokens {
        CheckTokens(
            token: world.token(), foreign: world.token(audience: "https://other.example"),
            expired: world.token(lifetime: .seconds(-3600)), identity: world.token(header: ["typ": "JWT"]),
            narrow: world.token(scope: "other"))
    }

    private static func codes(_ report: CheckReport, _ levels: Finding.Level...) -> [String] {
        report.findings.filter { levels.contains($0.level) && $0.code.hasPrefix("token.") }.map(\.code)
    }

    @Test func `a correct resource passes every probe`() async {
        let report = await report(tokens: Self.all)
        #expect(Self.codes(report, .note, .warn, .fail) == [])
        #expect(
            Set(Self.codes(report, .pass)) == [
                "token.accepted", "token.cache", "token.signature", "token.unsigned", "token.symmetric",
                "token.own-key", "token.awkward", "token.audience", "token.expired", "token.identity",
                "token.scope", "token.query", "token.form", "token.repeated", "token.scheme",
            ])
        #expect(report.outcome == .success)
    }

    @Test(arguments: [
        ("CHK-51", GuardFault.signatureNotChecked, "token.signature", Finding.Level.fail),
        ("CHK-52", .noneAccepted, "token.unsigned", .fail),
        ("CHK-53", .publicKeyAsSecret, "token.symmetric", .fail),
        ("CHK-54", .ownKeyTrusted, "token.own-key", .fail),
        ("CHK-55", .audienceNotChecked, "token.audience", .fail),
        ("CHK-56", .expiredFromCache, "token.expired", .fail),
        ("CHK-57", .identityTokenAccepted, "token.identity", .fail),
        ("CHK-58", .tokenInQuery, "token.query", .fail), ("CHK-58", .tokenInForm, "token.form", .fail),
        ("CHK-60", .repeatedFieldTaken, "token.repeated", .warn),
        ("CHK-60", .schemeCaseSensitive, "token.scheme", .warn),
        ("CHK-61", .failsOnAwkwardTokens, "token.awkward", .warn),
        ("CHK-62", .scopeRefusedWithUnauthorized, "token.scope", .warn),
        ("CHK-64", .answersAreShared, "token.cache", .note),
    ])
    func `CHK-51 to CHK-64: each fault of a resource is found, and no other`(
        row: String, fault: GuardFault, code: String, level: Finding.Level
    ) async {
        let report = await report(fault, tokens: Self.all)
        let found = report.findings.filter { $0.code.hasPrefix("token.") && $0.level != .pass }
        // Without a check of signatures every forged token is accepted too.
        let forged = [
            "token.signature", "token.unsigned", "token.symmetric", "token.own-key", "token.awkward",
        ]
        let others = fault == .signatureNotChecked ? Set(forged) : []
        #expect(found.contains { $0.code == code && $0.level == level }, "\(row)")
        #expect(Set(found.map(\.code)).subtracting(others) == (others.isEmpty ? [code] : []), "\(row)")
        #expect(found.allSatisfy { $0.exchange != nil })
    }

    @Test func `CHK-50: with a token that is refused the other probes are left out`() async {
        let world = GuardedWorld()
        let report = await world.report(CheckTokens(token: world.token(lifetime: .seconds(-3600))))
        #expect(Self.codes(report, .fail) == ["token.accepted"])
        #expect(Self.codes(report, .pass, .note, .warn) == [])
        let open = Deployment()
        open.answerCalls(status: .ok, badTokenStatus: .ok)
        let onOpen = await ResourceCheck(
            fetcher: open.network, allowsLoopback: false,
            tokens: CheckTokens(token: "opaque-token-0123456789")
        ).report(on: Deployment.resource)
        #expect(Self.codes(onOpen, .fail) == ["token.accepted"])
    }

    @Test func `CHK-50: a 403 that names the missing scope is an answer to a good token`() async {
        let report = await report { CheckTokens(token: $0.token(scope: "other")) }
        #expect(Self.codes(report, .warn, .fail) == [])
        #expect(Self.codes(report, .pass).contains("token.signature"))
        let careless = await self.report(.signatureNotChecked) {
            CheckTokens(token: $0.token(scope: "other"))
        }
        #expect(Self.codes(careless, .fail).contains("token.signature"))
    }

    @Test(arguments: [405, 406])
    func `CHK-50: an MCP server that refuses GET only with a token is called by POST`(status: Int) async {
        let world = Deployment()
        let token = "opaque-token-0123456789"
        let script: ScriptedFetcher.Script = { request in
            if request.method == .get, request.fields.contains(.authorization) {
                return FetchResponse(status: Status(code: status))
            }
            if request.method == .get { return MCPWorld.challenge }
            return MCPWorld.respond(request, isOpen: false, isAllowed: { $0 == "Bearer \(token)" })
        }
        world.network.on(Deployment.resource, script)
        let check = ResourceCheck(
            fetcher: world.network, allowsLoopback: false, tokens: CheckTokens(token: token))
        let report = await check.report(on: Deployment.resource)
        #expect(Self.codes(report, .pass).contains("token.accepted"))
        #expect(Self.codes(report, .pass).contains("token.session"))
        #expect(Self.codes(report, .fail) == [])
    }

    @Test func `CHK-51: an opaque token is changed in one character`() async {
        let world = Deployment()
        let token = "opaque-token-0123456789"
        func serve(isCareless: Bool) {
            world.network.on(Deployment.resource) { request in
                let value = request.fields[.authorization] ?? ""
                let isGood = isCareless ? value.hasPrefix("Bearer opaque") : value == "Bearer \(token)"
                return isGood
                    ? FetchResponse(status: .ok, fields: [.cacheControl: "private"])
                    : FetchResponse(
                        status: .unauthorized,
                        fields: [
                            .wwwAuthenticate: value.isEmpty
                                ? Deployment.challenge : Deployment.challenge + ", error=\"invalid_token\""
                        ])
            }
        }
        for isCareless in [true, false] {
            serve(isCareless: isCareless)
            let check = ResourceCheck(
                fetcher: world.network, allowsLoopback: false, tokens: CheckTokens(token: token))
            let report = await check.report(on: Deployment.resource)
            #expect(Self.codes(report, .fail) == (isCareless ? ["token.signature"] : []))
            #expect(!report.findings.contains { $0.code == "token.unsigned" })
        }
    }

    @Test func `a token that is accepted before its nbf or after its exp is a failure`() async {
        let now = TimeSource.system.now().wholeSeconds ?? 0
        let early = await report(.notBeforeIgnored) {
            CheckTokens(token: $0.token(["nbf": .number(JSONNumber(now + 3600))]))
        }
        #expect(Self.codes(early, .fail) == ["token.not-before"])
        let late = await report(.expiredFromCache) { CheckTokens(token: $0.token(lifetime: .seconds(-3600))) }
        #expect(Self.codes(late, .fail) == ["token.expired"])
    }

    @Test func `CHK-58: bearer_methods_supported permits other places`() async {
        let world = GuardedWorld([.tokenInQuery, .tokenInForm])
        world.world.serve(Deployment.document(["bearer_methods_supported": ["header", "query", "body"]]))
        let report = await world.report(Self.good(world))
        #expect(Self.codes(report, .fail) == [])
    }

    @Test func `CHK-59: a bound token needs a proof of its key`() async {
        let client = TestDPoPClient()
        let strict = await report { CheckTokens(token: $0.token(boundTo: client)) }
        #expect(Self.codes(strict, .pass, .fail) == ["token.bound"])
        #expect(Self.codes(strict, .fail) == [])
        let careless = await report(.bindingIgnored) { CheckTokens(token: $0.token(boundTo: client)) }
        #expect(Self.codes(careless, .fail) == ["token.bound"])
    }

    @Test func `CHK-63: a session is no authentication`() async {
        let strict = await report(isMCP: true)
        #expect(Self.codes(strict, .fail) == [])
        #expect(Self.codes(strict, .pass).contains("token.session"))
        let careless = await report(.sessionWithoutToken, isMCP: true)
        #expect(Self.codes(careless, .fail) == ["token.session"])
    }

    @Test func `CHK-23: with a token the rules of the revision are judged`() async {
        let report = await report(isMCP: true)
        #expect(report.codes(.pass).contains("mcp.version") && report.codes(.pass).contains("mcp.mirror"))
    }

    @Test func `CHK-38: the token's issuer is compared with the document's`() async {
        let listed = await report()
        #expect(!Self.codes(listed, .warn).contains("token.issuer"))
        let other = await report {
            CheckTokens(token: $0.token(["iss": "https://sts.windows.net/9188040d/"]))
        }
        #expect(Self.codes(other, .warn) == ["token.issuer"])
    }

    // MARK: Secrets

    @Test func `CHK-13: tokens are in no format, even if the server repeats them`() async {
        let world = GuardedWorld([.echoesTokens])
        let tokens = Self.all(world)
        let report = await world.report(tokens)
        let bad = await world.report(CheckTokens(token: world.token(lifetime: .seconds(-3600))))
        #expect(bad.findings.contains { $0.exchange?.received.contains("bad token <token>") == true })
        let requests = world.world.network.requests
        let sent = requests.flatMap { $0.fields.values(of: .authorization) }.map {
            String($0.split(separator: " ").last ?? "")
        }
        for format in ReportFormat.allCases {
            let text = format.text([report, bad], at: ReportTime(secondsSince1970: 0))
            for token in sent where token.utf8.count > 40 {
                for part in token.split(separator: ".") where part.utf8.count >= 16 {
                    #expect(!text.contains(part), "\(format)")
                }
            }
        }
        #expect("\(tokens)" == "CheckTokens(5)")
        var dumped = ""
        dump(tokens, to: &dumped)
        #expect(!dumped.contains(world.token().prefix(20)))
    }

    @Test func `tokens go to the checked URL only`() async {
        let world = GuardedWorld()
        let token = world.token()
        _ = await world.report(CheckTokens(token: token))
        let elsewhere = world.world.network.requests.filter {
            !($0.url == Deployment.resource || $0.url.hasPrefix(Deployment.resource + "?"))
        }
        #expect(elsewhere.count > 10)
        #expect(!elsewhere.contains { $0.fields[.authorization]?.contains(token) == true })
        #expect(!elsewhere.contains { $0.url.contains(token) })
    }

    // MARK: The command line

    @Test(arguments: [
        ["--token-file", "/nowhere.jwt", "https://a.example"],
        ["--foreign-token", "TOKEN", "https://a.example"],
        ["--token-file", "TOKEN", "https://a.example", "https://b.example"], ["--token-file", "TOKEN"],
        ["--token-file", "TOKEN", "--client", "a.json"], ["--token-file", "TOKEN", "--file", "a.json"],
        ["--token-file", "TWO", "https://a.example"], ["--token-file", "EMPTY", "https://a.example"],
    ])
    func `tokens need a good one and exactly one URL`(words: [String]) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in [("TOKEN", "secret-token-0123456789\n"), ("TWO", "a b"), ("EMPTY", "\n")] {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        let transcript = Transcript()
        let full = words.map {
            ["TOKEN", "TWO", "EMPTY"].contains($0) ? folder.appending(path: $0).path : $0
        }
        #expect(await CommandLineTool.run(["check"] + full, console: transcript.console()) == .trouble)
        #expect(transcript.output == "" && !transcript.errors.contains("secret-token"))
    }
}
