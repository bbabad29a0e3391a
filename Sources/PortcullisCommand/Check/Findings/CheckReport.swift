// SPDX-License-Identifier: MIT

/// One result of a check.
package struct Finding: Sendable, Hashable {
    /// The severity of a finding.
    package enum Level: String, Sendable, Hashable, CaseIterable {
        /// Correct.
        case pass
        /// Information, not a problem.
        case note
        /// Allowed, but some clients fail on it.
        case warn
        /// Conforming clients cannot continue.
        case fail
    }

    /// The maximum length of a finding's text, in characters.
    package static let maximumTextLength = 1024

    /// The severity.
    package let level: Level
    /// A stable identifier: a topic, a dot, and what was checked.
    package let code: String
    /// A sentence for human readers.
    package let text: String
    /// The issuer, the client or the member that it is about; empty if it is about the subject itself.
    package let about: String
    /// The request and the response, or `nil` if there were none.
    package var exchange: Exchange?
    /// The reason of the suppression that applies, or `nil`; a suppressed finding does not count.
    package var suppression: String?

    package init(
        _ level: Level, _ code: String, _ text: String, about: String = "", exchange: Exchange? = nil
    ) {
        self.level = level
        self.code = code
        self.text = Self.bounded(text, Self.maximumTextLength)
        self.about = Self.bounded(about, Exchange.maximumCharacterCount)
        // A correct answer needs no evidence, and a scan of many resources keeps all reports.
        self.exchange = level == .pass ? nil : exchange
    }

    private static func bounded(_ text: String, _ length: Int) -> String {
        // Most texts are short, and a byte count needs no walk over characters.
        guard text.utf8.count > length, text.unicodeScalars.count > length else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(length))) + "…"
    }

    /// The same finding, about a party unless it is about one already.
    func about(_ party: String) -> Finding {
        Finding(level, code, text, about: about.isEmpty ? party : about, exchange: exchange)
    }

    /// What the code stands for.
    package var rule: CheckRule { CheckRule.named(code) }

    /// The part of the code before the dot.
    package var topic: Substring { code.prefix { $0 != "." } }
}

/// The results of a check of one resource or one document.
package struct CheckReport: Sendable {
    /// The URL or the file that was checked.
    package let subject: String
    /// All findings, in the order of a client's requests.
    package var findings: [Finding] = []
    /// The score of the resource's metadata document.
    package var readiness: Readiness?
    /// The score of the document at the root well-known path, where scanners look.
    package var rootReadiness: Readiness?
    /// The URL of the document.
    package var metadataURL: String?
    /// The document's `resource`.
    package var resource: String?
    /// The document's `authorization_servers`.
    package var authorizationServers: [String] = []
    /// The issuer of its `signed_metadata`.
    package var signer: String?
    /// Why the check could not run, or `nil` if it ran.
    package var trouble: String?
    /// The line of a file that names the subject, or `nil` if none does.
    package var anchor: SourceAnchor?
    /// What clients rely on.
    package var facts: [WatchedFact] = []
    /// How long the check took.
    package var duration: Duration = .zero
    /// Whether warnings fail the check too.
    package var failsOnWarnings = false
    /// The exchange that the next findings are about.
    var exchange: Exchange?

    package init(subject: String) { self.subject = subject }

    /// The outcome of the check.
    package var outcome: Outcome {
        if trouble != nil { return .trouble }
        return findings.contains(where: isFailure) ? .failure : .success
    }

    /// Whether a finding fails the check.
    package func isFailure(_ finding: Finding) -> Bool {
        guard finding.suppression == nil else { return false }
        return finding.level == .fail || failsOnWarnings && finding.level == .warn
    }

    /// The number of findings with a level that are not suppressed.
    package func count(of level: Finding.Level) -> Int {
        findings.count { $0.level == level && $0.suppression == nil }
    }

    /// Adds a finding about the current exchange.
    mutating func note(_ level: Finding.Level, _ code: String, _ text: String, about: String = "") {
        findings.append(Finding(level, code, text, about: about, exchange: exchange))
    }
}

extension Outcome {
    /// Its name in reports.
    package var word: String {
        switch self {
        case .success: "pass"
        case .failure: "fail"
        case .trouble: "unchecked"
        }
    }
}

extension [CheckReport] {
    /// The worst outcome: a failure, then a check that could not run.
    package var worst: Outcome {
        if contains(where: { $0.outcome == .failure }) { return .failure }
        return contains { $0.outcome == .trouble } ? .trouble : .success
    }
}
