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
        try await explain(id, in: Data(text.utf8))
    }

    private func explain(_ id: String, in data: Data) async throws -> Outcome {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try data.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return await transcript.run("explain", "--request-id", id, "--log", file.path)
    }

    @Test(arguments: AccessLog.Format.allCases)
    func `the line of a request that a proxy asked about says where`(format: AccessLog.Format) async throws {
        var line = AccessLogLine(
            RequestSummary(
                route: "/photos/{id}", method: .post, status: .unauthorized, isComplete: true,
                duration: .milliseconds(2), refusal: .expired),
            client: "192.0.2.1", path: Array("/photos/7".utf8)[...], id: "asked")
        line.forwardAuth = "/_auth"
        var bytes: [UInt8] = []
        line.append(format, at: 1_700_000_000, to: &bytes)
        #expect(try await explain("asked", in: Data(bytes)) == .success)
        #expect(transcript.output.contains("POST /photos/7"))
        #expect(transcript.output.contains("asked at:  /_auth\n"))
        #expect(transcript.output.contains("Refused: expired"))
    }

    @Test(arguments: AccessLog.Format.allCases)
    func `explain finds the line and prints everything it has`(format: AccessLog.Format) async throws {
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
                repair:    The client asks for a token with resource= (RFC 8707) as the metadata spells it; or add another name of this API to tokens.audiences. Where the server never sends aud: audience_from for JWTs, tokens.introspection_audience for introspection answers.
                unsound:   The token is for a ?b? c=d. If it were accepted here, that API could use it here too. The client must ask for a token with resource=https://api.example.com/photos (RFC 8707 §2).

                """)
    }

    @Test(arguments: AccessLog.Format.allCases, RefusalReason.allCases)
    func `every reason has its clause, its answer and its remedy`(
        format: AccessLog.Format, reason: RefusalReason
    ) async throws {
        #expect(try await explain("a", in: Self.line(format, reason, id: "a")) == .success)
        let output = transcript.output
        #expect(output.contains("Refused: \(reason.rawValue), at the step: "))
        #expect(["(RFC ", "(MCP ", "(AuthZEN ", "(draft-ietf-"].contains { output.contains($0) })
        #expect(output.contains("\ntold:      \(reason.outcome.status)"))
        let remedy = output.split(separator: "\nrepair:    ").last
        #expect(remedy?.split(separator: "\n").first?.hasSuffix(".") == true && (remedy?.count ?? 0) > 20)
    }

    @Test func `a request that was not refused has no reason`() async throws {
        let text =
            Self.line(.json, nil, id: "a") + Self.line(.text, nil, id: "a", status: 500, isComplete: false)
        #expect(try await explain("a", in: text) == .success)
        #expect(transcript.output.contains("The gate admitted the request. Status 200.\n"))
        #expect(transcript.output.contains("\nrepair:    none: the gate admitted it\n"))
        #expect(transcript.output.contains("Status 500. The response was incomplete.\n"))
    }

    @Test func `a malformed message is explained`() async throws {
        let text = #"{"request_id":"a","method":"GET","path":"/x","status":400,"refusal":"invalidFieldName"}"#
        #expect(try await explain("a", in: text) == .success)
        #expect(
            transcript.output.contains(
                "Refused: invalidFieldName: a field line has no name, or a malformed one. The server refused the "
                    + "message before the gate.\n"))
    }

    @Test func `a missing line and a missing log are reported`() async throws {
        #expect(try await explain("a", in: Self.line(.json, nil, id: "b") + "{\"a\":") == .failure)
        #expect(transcript.output == "" && transcript.errors.contains("no line of an access log"))
        #expect(await transcript.run("explain", "--request-id", "a", "--log", "/nowhere/x") == .trouble)
    }

    @Test func `a line of another version or another program breaks nothing`() async throws {
        let escape = #"\u001b[31m"#
        let text = #"{"request_id":"a","refusal":"unheardOf\#(escape)","path":1,"method":null,"status":"x"}"#
        #expect(try await explain("a", in: text) == .success)
        #expect(transcript.output.contains("a reason unknown to this version"))
        #expect(!transcript.output.contains("\u{1B}"))
    }

    @Test(arguments: AccessLog.Format.allCases)
    func `a line that is too long is skipped and reported`(format: AccessLog.Format) async throws {
        let line = Self.line(format, .expired, id: "a")
        // A collector's prefix is a part of the line.
        let padded = { (count: Int) in
            String(repeating: " ", count: count - (line.utf8.count - 1)) + line
        }
        #expect(try await explain("a", in: padded(65_536)) == .success)
        #expect(transcript.output.contains("Refused: expired") && transcript.errors == "")
        let long = Transcript()
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data((padded(65_537) + line + padded(1_000_000).dropLast()).utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(await long.run("explain", "--request-id", "a", "--log", file.path) == .success)
        #expect(long.output.hasPrefix("line 2: GET /photos/7"))
        #expect(long.output.split(separator: "Refused:").count == 2)
        #expect(
            long.errors == "skipped 2 lines of more than 65536 bytes in the log\n")
    }

    @Test func `explain finds a line in the middle of a binary file, and none if there is none`() async throws
    {
        // Every byte, with and without line ends, with the identifier among them.
        var noise: [UInt8] = []
        for step in [1, 7, 31, 101] { noise += (0..<2048).map { UInt8(truncatingIfNeeded: $0 * step) } }
        let id = Array("wanted".utf8)
        let binary =
            noise + id + [0x7B] + id + noise + [0x0A, 0x7B, 0x22] + id + [0x22, 0x0A, 0, 0] + id + noise
        #expect(try await explain("wanted", in: Data(binary)) == .failure)
        #expect(transcript.output == "" && transcript.errors.contains("no line of an access log"))
        let line = Self.line(.text, .expired, id: "wanted")
        #expect(
            try await explain("wanted", in: Data(binary + [0x0A] + Array(line.utf8) + binary)) == .success)
        #expect(transcript.output.contains("Refused: expired"))
        #expect(
            transcript.output.unicodeScalars.allSatisfy {
                $0 == "\n" || $0.properties.generalCategory != .control
            })
    }

    @Test func `terminal control characters are printed as text`() async throws {
        // A log with hostile lines: escape, C1, bidirectional override, bytes that are not UTF-8.
        let evil = "\u{1B}[2J\u{9B}31m\u{202E}\u{7}\r\u{0}"
        let head =
            "192.0.2.1\(evil) - - [14/Nov/2023:22:13:20\(evil) +0000] \"GET /\(evil)é HTTP/1.1\(evil)\" 401 0"
        let rest =
            "duration=1\(evil) route=\(evil) id=a resource=\(evil)r refusal=expired expected=\"\(evil)\" got="
        let line = Array("\(head) \(rest)".utf8) + [0xFF, 0xC0, 0x1B, 0x0A]
        #expect(try await explain("a", in: Data(line)) == .success)
        let escaped = #"\u{1b}[2J\u{9b}31m\u{202e}\u{7}\u{d}\u{0}"#
        #expect(transcript.output.hasPrefix("line 1: GET /\(escaped)é HTTP/1.1\(escaped)\n"))
        #expect(transcript.output.contains("\nclient:    192.0.2.1\(escaped)\n"))
        #expect(transcript.output.contains("\nexpected:  \(escaped)\n"))
        #expect(transcript.output.contains("\ngot:       \u{FFFD}\u{FFFD}\\u{1b}\n"))
        #expect(
            transcript.output.unicodeScalars.allSatisfy {
                $0 == "\n" || ![.control, .format].contains($0.properties.generalCategory)
            })
    }

    @Test(arguments: [
        ["--request-id", "a"], ["--log", "x"], ["--request-id", "a", "--log", "x", "--token", "t"],
        ["--request-id", "a", "--log", "x", "y"],
    ])
    func `wrong arguments are a usage error`(words: [String]) async {
        #expect(await CommandLineTool.run(["explain"] + words, console: transcript.console()) == .trouble)
        #expect(transcript.errors.contains("usage: portcullis explain"))
    }
}
