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

    /// The severity.
    package let level: Level
    /// A stable identifier: a topic, a dot, and what was checked.
    package let code: String
    /// A sentence for human readers.
    package let text: String

    package init(_ level: Level, _ code: String, _ text: String) {
        self.level = level
        self.code = code
        self.text = text
    }

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

    package init(subject: String) { self.subject = subject }

    /// The outcome of the check.
    package var outcome: Outcome {
        if trouble != nil { return .trouble }
        return findings.contains { $0.level == .fail } ? .failure : .success
    }

    /// The number of findings with a level.
    package func count(of level: Finding.Level) -> Int { findings.count { $0.level == level } }

    /// Adds a finding.
    mutating func note(_ level: Finding.Level, _ code: String, _ text: String) {
        findings.append(Finding(level, code, text))
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
