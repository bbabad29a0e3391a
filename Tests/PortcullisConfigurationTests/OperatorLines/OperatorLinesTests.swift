// SPDX-License-Identifier: MIT

import Foundation
import PortcullisConfiguration
import Testing

/// One outage or refusal, and how to make it.
struct Outage: Sendable {
    /// What goes wrong; unique.
    let name: String
    /// Makes it, and returns the lines that an operator sees.
    let lines: @Sendable () async throws -> [String]

    init(_ name: String, _ lines: @escaping @Sendable () async throws -> [String]) {
        self.name = name
        self.lines = lines
    }
}

/// Makes each outage and refusal of the tables, and compares the one line that an operator sees with
/// `Fixtures/operator/lines.txt`.
///
/// After a change of words: `PORTCULLIS_RECORD_LINES=1 swift test --filter OperatorLines`. Review each line of the
/// diff: does it name what failed, why, and what to do?
@Suite("The one line that an operator sees", .timeLimit(.minutes(1)))
struct OperatorLinesTests {
    static let outages: [Outage] =
        Outage.syntax + Outage.files + Outage.limits + Outage.fetches + Outage.documents
        + Outage.introspections
        + Outage.messages + Outage.stores + Outage.disks + Outage.reloads

    private static let path = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/operator/lines.txt")
    private static let variable = "PORTCULLIS_RECORD_LINES"

    @Test func `each outage makes the recorded line, and only that`() async throws {
        var made = ""
        for outage in Self.outages {
            let lines = try await outage.lines()
            #expect(lines.count == 1, "\(outage.name): \(lines)")
            made += "\(outage.name)\n    \(lines.first ?? "")\n"
        }
        #expect(Set(Self.outages.map(\.name)).count == Self.outages.count)
        #expect(Self.outages.count >= 60)
        guard ProcessInfo.processInfo.environment[Self.variable] == nil else {
            try FileManager.default.createDirectory(
                at: Self.path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try made.write(to: Self.path, atomically: true, encoding: .utf8)
            Issue.record("The lines were recorded; review the diff.")
            return
        }
        let recorded = try String(contentsOf: Self.path, encoding: .utf8).components(separatedBy: "\n")
        for (line, expected) in zip(made.components(separatedBy: "\n"), recorded) {
            #expect(line == expected)
        }
        #expect(recorded.count == made.components(separatedBy: "\n").count)
    }

    @Test func `no line has a Swift type, a case or a secret`() throws {
        let lines = try String(contentsOf: Self.path, encoding: .utf8).components(separatedBy: "\n")
        for line in lines where line.hasPrefix("    ") {
            #expect(SwiftNames.found(in: line) == nil, "\(line)")
            #expect(!line.contains("s3cret"), "\(line)")
        }
    }
}

/// Finds what only a Swift programmer would understand.
enum SwiftNames {
    /// A module-qualified type, a case with a payload, an optional, an error without a description.
    private static let patterns = [
        #"Portcullis\w*\.[A-Z]\w*"#, #"\b[A-Z]\w+\.[a-z]\w*\("#, #"(^|[\s(,:.])[a-z]+[A-Z]\w*\("#,
        #"Optional\("#, #"\bnil\b"#, #"Error Domain="#, #"\brawValue: "#,
    ]

    static func found(in text: String) -> String? {
        for pattern in patterns {
            if let range = text.range(of: pattern, options: .regularExpression) { return String(text[range]) }
        }
        return nil
    }
}
