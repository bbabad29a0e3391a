// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisCommand
import PortcullisServer
import Testing

@Suite("Explaining a line of the access log")
struct ExplainLogTests {
    let transcript = Transcript()

    private static func line(
        _ format: AccessLog.Format, _ reason: RefusalReason?, id: String, status: Int? = nil,
        finding: RefusalFinding? = nil, isComplete: Bool = true
    ) -> String {
        let code = status ?? reason?.outcome.status ?? 200
        let line = AccessLogLine(
            RequestSummary(
                route: "/photos/{id}", method: .get, status: .init(code), isComplete: isComplete,
                duration: .milliseconds(2), refusal: reason, finding: finding),
            client: "192.0.2.1", path: Array("/photos/7".utf8)[...], id: id,
            resource: "https://api.example.com/photos")
        var bytes: [UInt8] = []
        line.append(format, at: 1_700_000_000, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func explain(_ id: String, in text: String) async throws -> Outcome {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return await transcript.run("explain", "--request-id", id, "--log", file.path)
    }

    @Test(arguments: AccessLog.Format.allCases)
    func `the line is found, and everything is said that it knows`(format: AccessLog.Format) async throws {
        let finding = RefusalFinding(expected: "https://api.example.com/photos", got: "a \"b\" c=d")
        let text =
            Self.line(format, nil, id: "other") + "something else with id=wanted in it\n"
            + "Nov 21 host example-server[7]: "
            + Self.line(format, .audienceMismatch, id: "wanted", finding: finding)
            + Self.line(format, .expired, id: "wanted-too")
        #expect(try await explain("wanted", in: text) == .success)
        let time = format == .json ? "2023-11-14T22:13:20.000Z" : "14/Nov/2023:22:13:20 +0000"
        let request = format == .json ? "GET /photos/7" : "GET /photos/7 HTTP/1.1"
        #expect(
            transcript.output == """
                line 3: \(request)
                time:      \(time)
                client:    192.0.2.1
                resource:  https://api.example.com/photos
                route:     /photos/{id}
                duration:  \(format == .json ? "0.002" : "0.002000") s

                Refused: audienceMismatch, at the step: audience (RFC 9068 §4, RFC 8707 §2).
                expected:  https://api.example.com/photos
                got:       a ?b? c=d
                told:      401 invalid_token: The access token is not intended for this resource
                repair:    The client asks for a token with resource= (RFC 8707) as the metadata spells it; or add what the issuer writes to tokens.audiences.

                """)
    }

    @Test(arguments: AccessLog.Format.allCases, RefusalReason.allCases)
    func `every reason has its clause, its answer and its remedy`(
        format: AccessLog.Format, reason: RefusalReason
    ) async throws {
        #expect(try await explain("a", in: Self.line(format, reason, id: "a")) == .success)
        let output = transcript.output
        #expect(output.contains("Refused: \(reason.rawValue), at the step: ") && output.contains("(RFC "))
        #expect(output.contains("\ntold:      \(reason.outcome.status)"))
        let remedy = output.split(separator: "\nrepair:    ").last
        #expect(remedy?.hasSuffix(".\n") == true && (remedy?.count ?? 0) > 20)
    }

    @Test func `a request that was not refused has no reason`() async throws {
        let text =
            Self.line(.json, nil, id: "a") + Self.line(.text, nil, id: "a", status: 500, isComplete: false)
        #expect(try await explain("a", in: text) == .success)
        #expect(transcript.output.contains("The gate did not refuse it. Answered with 200.\n"))
        #expect(transcript.output.contains("Answered with 500. The answer was cut short.\n"))
    }

    @Test func `a line that is not there, and a log that is not there`() async throws {
        #expect(try await explain("a", in: Self.line(.json, nil, id: "b") + "{\"a\":") == .failure)
        #expect(transcript.output == "" && transcript.errors.contains("no line of an access log"))
        #expect(await transcript.run("explain", "--request-id", "a", "--log", "/nowhere/x") == .trouble)
    }

    @Test func `a line of another version, or of somebody else, breaks nothing`() async throws {
        let escape = #"\u001b[31m"#
        let text = #"{"request_id":"a","refusal":"unheardOf\#(escape)","path":1,"method":null,"status":"x"}"#
        #expect(try await explain("a", in: text) == .success)
        #expect(transcript.output.contains("a reason that this version does not know"))
        #expect(!transcript.output.contains("\u{1B}"))
    }

    @Test(arguments: [
        ["--request-id", "a"], ["--log", "x"], ["--request-id", "a", "--log", "x", "--token", "t"],
        ["--request-id", "a", "--log", "x", "y"],
    ])
    func `wrong words`(words: [String]) async {
        #expect(await CommandLineTool.run(["explain"] + words, console: transcript.console()) == .trouble)
        #expect(transcript.errors.contains("usage: portcullis explain"))
    }
}
