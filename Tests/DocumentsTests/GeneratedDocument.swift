// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisJOSE
import Testing

/// Documents that are written by a test, from the tables of the program.
///
/// `PORTCULLIS_RECORD_DOCUMENTS=1 swift test --filter Documents` writes them; without it, the files are compared.
@Suite("Documents: written from the program")
struct GeneratedDocuments {
    static let catalog = "Sources/Portcullis/Portcullis.docc/"

    static func check(_ path: String, against text: String) throws {
        let file = Tree.root.appendingPathComponent(path)
        if Tree.recordsDocuments { try Data(text.utf8).write(to: file) }
        let hint = "record it with PORTCULLIS_RECORD_DOCUMENTS=1"
        #expect(Tree.text(of: path) == text, "\(path): \(hint)")
    }

    @Test func `the article about reasons has a row for each reason`() throws {
        try Self.check(Self.catalog + "TroubleshootingByReason.md", against: try ReasonsArticle().text)
    }

    @Test func `the article about checks has a row for each step`() throws {
        try Self.check(Self.catalog + "Checks.md", against: try ChecksArticle().text)
    }

    @Test func `the ledger of clauses is that of the sources and tests`() throws {
        try Self.check(Self.catalog + "ClauseLedger.md", against: ClauseLedger().text)
    }
}

/// Text that stands for itself in a cell of a table.
func cell(_ text: String) -> String { text.replacingOccurrences(of: "|", with: "\\|") }

/// The reasons for which requests are refused, and what to do about each.
struct ReasonsArticle {
    /// What the case's documentation says.
    private let meanings: [String: String]

    init() throws {
        let source = try #require(Tree.text(of: "Sources/Portcullis/Refuse/RefusalReason.swift"))
        var meanings: [String: String] = [:]
        var comment: [String] = []
        for line in source.components(separatedBy: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if line.hasPrefix("/// ") {
                comment.append(String(line.dropFirst(4)))
            } else {
                let name = line.hasPrefix("case ") ? String(line.dropFirst(5)) : nil
                if let name { meanings[name] = comment.joined(separator: " ") }
                comment = []
            }
        }
        self.meanings = meanings
    }

    var text: String {
        var text = """
            # Troubleshooting by reason

            The reasons for refusals, what the client gets, and the remedies.

            ## Overview

            Each refusal has one reason. It is in the access log (`reason`), in the metrics, in the output of
            `portcullis explain` and in ``Refusal/reason``. The client gets only the status, the error code and the
            public text.

            To find the reason of a request that a client reports, search the access log by its `X-Request-Id`:

                swift run portcullis explain --request-id ID --log access.log

            A test writes this article from the table in `RefusalReason+Table.swift`.


            """
        for step in AdmissionStep.allCases {
            let reasons = RefusalReason.allCases.filter { $0.step(isIntrospected: false) == step }
            if reasons.isEmpty { continue }
            let again = AdmissionStep.allCases.first { $0.name == step.name } != step
            text += "## \(Self.heading(step.name))\(again ? " (\(step))" : "")\n\n"
            for reason in reasons { text += section(reason) }
        }
        return String(text.dropLast())
    }

    private func section(_ reason: RefusalReason) -> String {
        let (status, error) = reason.outcome
        let row = reason.row
        var answer = "\(status)"
        if let error { answer += " `\(error)`" }
        if let description = reason.publicDescription { answer += ", “\(description)”" }
        return """
            ### \(reason.rawValue)

            \(meanings[reason.rawValue] ?? "")

            - **Client gets**: \(answer)
            - **Clause**: \(row.clause)
            - **Remedy**: \(reason.remedy)


            """
    }

    static func heading(_ name: String) -> String { name.prefix(1).uppercased() + name.dropFirst() }
}

/// The steps of a decision, in order.
struct ChecksArticle {
    /// The steps at which recorded requests were refused, by name and reason.
    private let recorded: Set<String>

    init() throws {
        var recorded: Set<String> = []
        for path in Tree.paths(below: "Fixtures/admission", endingIn: ".json") {
            let file = try JSONValue.parse(Array((Tree.text(of: path) ?? "").utf8)).object
            let requests = file?["requests"]?.array ?? []
            for (request, explanation) in zip(requests, file?["explanations"]?.array ?? []) {
                let failed = (explanation.array ?? []).compactMap(\.string).first { $0.hasPrefix("failed: ") }
                guard let failed, let reason = request.object?["refused"]?.string else { continue }
                let name = failed.dropFirst(8).components(separatedBy: " [")[0]
                recorded.insert(name + " " + reason)
            }
        }
        self.recorded = recorded
    }

    /// Whether a request was refused at a step for a reason whose row names another step.
    ///
    /// Two steps may have one name, which a record cannot tell apart: then the row decides.
    private func isRecorded(_ reason: RefusalReason, at step: AdmissionStep) -> Bool {
        let isAlone = AdmissionStep.allCases.count { $0.name == step.name } == 1
        return isAlone && recorded.contains(step.name + " " + reason.rawValue)
    }

    var text: String {
        var text = """
            # Checks

            The checks of each request, step by step.

            ## Overview

            The gate takes these steps in this order and ends at the first one that refuses. A step that does not
            apply to a request is skipped: a JWT is not introspected, and a token without `cnf` needs no proof.
            <doc:TroubleshootingByReason> explains the reasons.

            Checked tokens are cached. A request with a cached token goes from the step *memory of tokens* to the
            step *possession*, and the token's times are checked again.

            A test writes this table from `AdmissionStep.swift`, `RefusalReason+Table.swift` and the recorded
            decisions in `Fixtures/admission`. A reason may belong to more than one step.

            | # | step | clauses | refuses with |
            |---|---|---|---|

            """
        for (index, step) in AdmissionStep.allCases.enumerated() {
            let reasons = RefusalReason.allCases.filter { reason in
                let steps = [reason.step(isIntrospected: false), reason.step(isIntrospected: true)]
                return steps.contains(step) || isRecorded(reason, at: step)
            }
            let names = reasons.map { "`\($0.rawValue)` \($0.outcome.status)" }.joined(separator: ", ")
            text += "| \(index + 1) | \(cell(step.name)) | \(cell(step.clause)) | "
            text += "\(names.isEmpty ? "–" : names) |\n"
        }
        return text
    }
}

/// Which files obey which clause, and which tests try it.
struct ClauseLedger {
    private struct Entry {
        var sources: Set<String> = []
        var tests: Set<String> = []
    }

    var text: String {
        var entries: [Clause: Entry] = [:]
        for path in Tree.paths(below: "Sources", endingIn: ".swift") {
            for clause in Self.clauses(ofComments: path) {
                entries[clause, default: Entry()].sources.insert(path)
            }
        }
        let tests = Tree.paths(below: "Tests", endingIn: ".swift")
        for path in tests where !path.hasPrefix("Tests/DocumentsTests/") {
            for clause in Self.clauses(ofTests: path) { entries[clause, default: Entry()].tests.insert(path) }
        }
        var text = """
            # Clause ledger

            The clauses that the sources cite, and their tests.

            ## Overview

            Sources cite a clause where they obey it; tests name it in their suite, their function or their file.
            A clause without a section stands for the whole document. Search the repository for the names of the
            files.

            A test writes this article from the comments and the tests.


            """
        let cited = entries.filter { !$0.value.sources.isEmpty }
        for document in Set(cited.keys.map(\.number)).sorted() {
            text += "## RFC \(document)\n\n| clause | sources | tests |\n|---|---|---|\n"
            for clause in cited.keys.filter({ $0.number == document }).sorted() {
                guard let entry = cited[clause] else { continue }
                let section = clause.section.isEmpty ? "–" : "§" + clause.section
                text += "| \(section) | \(Self.names(entry.sources)) | \(Self.names(entry.tests)) |\n"
            }
            text += "\n"
        }
        return String(text.dropLast())
    }

    private static func names(_ paths: Set<String>) -> String {
        let names = Set(paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 })
        return names.isEmpty ? "–" : names.sorted().map { "`\($0)`" }.joined(separator: ", ")
    }

    private static func clauses(ofComments path: String) -> Set<Clause> {
        var found: Set<Clause> = []
        for line in (Tree.text(of: path) ?? "").components(separatedBy: "\n") {
            guard let comment = line.range(of: "//") else { continue }
            found.formUnion(Clause.all(in: String(line[comment.lowerBound...])))
        }
        return found
    }

    /// Those of the suite's name, of names and comments, and of the file's name.
    private static func clauses(ofTests path: String) -> Set<Clause> {
        var found = Clause.all(in: Tree.text(of: path) ?? "")
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if let match = name.firstMatch(of: /^RFC(\d+)((?:_\d+)*)_/) {
            let section = match.2.split(separator: "_").joined(separator: ".")
            if let number = Int(match.1) { found.insert(Clause(number: number, section: section)) }
        }
        return found
    }
}

/// A section of an RFC.
struct Clause: Hashable, Comparable {
    let number: Int
    /// `4.1.2`, or empty for the whole document.
    let section: String

    static func < (first: Clause, second: Clause) -> Bool {
        if first.number != second.number { return first.number < second.number }
        return first.section.compare(second.section, options: .numeric) == .orderedAscending
    }

    /// The clauses of a text: `RFC 6750 §2, §3.1, RFC 9449 §4.3`.
    static func all(in text: String) -> Set<Clause> {
        var found: Set<Clause> = []
        let citation = /RFC (\d{3,5})((?:,? (?:and )?§\d+(?:\.\d+)*(?:-§\d+(?:\.\d+)*)?)*)/
        for match in text.matches(of: citation) {
            guard let number = Int(match.1) else { continue }
            let sections = match.2.matches(of: /§(\d+(?:\.\d+)*)/).map { String($0.1) }
            if sections.isEmpty { found.insert(Clause(number: number, section: "")) }
            for section in sections { found.insert(Clause(number: number, section: section)) }
        }
        return found
    }
}
