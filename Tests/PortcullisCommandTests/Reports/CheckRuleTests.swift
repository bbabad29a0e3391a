// SPDX-License-Identifier: MIT

import Foundation
import PortcullisCommand
import PortcullisHTTP
import Testing

@Suite("The rules of the checker")
struct CheckRuleTests {
    /// The codes that the sources of the checker name outside the table of rules.
    static func codesInSources() throws -> Set<String> {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/PortcullisCommand/Check")
        let walk = FileManager.default.enumerator(atPath: folder.path)
        let files = (walk?.allObjects ?? []).compactMap { $0 as? String }
        let topics = Set(CheckRule.all.map { String($0.code.prefix { $0 != "." }) })
        var codes: Set<String> = []
        for file in files where file.hasSuffix(".swift") && !file.contains("CheckRule") {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for match in text.matches(of: /"([a-z]+)\.[a-z0-9-]+"/) where topics.contains(String(match.1)) {
                codes.insert(String(match.0.dropFirst().dropLast()))
            }
        }
        return codes
    }

    @Test func `CHK-03: every code of the sources is a rule, and every rule is in use`() throws {
        #expect(try Self.codesInSources() == Set(CheckRule.all.map(\.code)))
    }

    @Test func `codes are unique, and every rule says what a client does and how to mend it`() {
        #expect(Set(CheckRule.all.map(\.code)).count == CheckRule.all.count)
        for rule in CheckRule.all {
            for text in [rule.title, rule.consequence, rule.remedy] {
                #expect(text.hasSuffix("."), "\(rule.code): \(text)")
            }
            #expect(!rule.clause.isEmpty && rule.url.hasPrefix("https://"), "\(rule.code)")
            #expect(rule.level != .pass)
        }
    }

    @Test func `every finding of a broken deployment has its rule, its request and its response`() async {
        let world = Deployment()
        world.answerCalls("Bearer error=\"invalid_token\"", badTokenStatus: .ok)
        world.serveIssuer(omitting: ["code_challenge_methods_supported"])
        let report = await world.report()
        for finding in report.findings where finding.level != .pass {
            #expect(CheckRule.index(of: finding.code) != nil, "\(finding.code)")
            #expect(finding.exchange?.sent.isEmpty == false, "\(finding.code)")
        }
        let pkce = report.findings.first { $0.code == "server.pkce" }
        #expect(pkce?.about == Deployment.issuer)
        #expect(
            pkce?.exchange?.sent
                == "GET https://as.example.com/.well-known/oauth-authorization-server")
        let token = report.findings.first { $0.code == "probe.bad-token" }
        #expect(token?.exchange?.sent == "GET https://api.example.com/mcp, Authorization: Bearer ...")
        #expect(token?.exchange?.received.hasPrefix("200, WWW-Authenticate: ") == true)
    }

    @Test func `CHK-13: text of servers is bounded and printable`() {
        let exchange = Exchange(sent: "GET \u{1B}[31m", received: String(repeating: "x", count: 10_000))
        #expect(exchange.sent == #"GET \u{1b}[31m"#)
        #expect(exchange.received.count == Exchange.maximumCharacterCount + 1)
        let long = String(repeating: "é", count: 10_000)
        let finding = Finding(.warn, "server.metadata", long, about: long)
        #expect(finding.text.count == Finding.maximumTextLength + 1)
        #expect(finding.about.count == Exchange.maximumCharacterCount + 1)
        #expect(Finding(.warn, "server.metadata", String(long.prefix(1024))).text.count == 1024)
    }
}
