// SPDX-License-Identifier: MIT

/// One thing that a check found out.
package struct Finding: Sendable, Hashable {
    /// How much it matters.
    package enum Level: String, Sendable, Hashable, CaseIterable {
        /// It is as it should be.
        case pass
        /// Worth knowing, and no fault.
        case note
        /// Allowed, but some clients will stumble over it.
        case warn
        /// Clients that keep to the rules get no further.
        case fail
    }

    /// How much it matters.
    package let level: Level
    /// A name for machines that stays the same: a topic, a point, and what was looked at.
    package let code: String
    /// A sentence for people.
    package let text: String

    package init(_ level: Level, _ code: String, _ text: String) {
        self.level = level
        self.code = code
        self.text = text
    }

    /// What comes before the point of the code.
    package var topic: Substring { code.prefix { $0 != "." } }
}

/// What a check found out about one resource, or about one document.
package struct CheckReport: Sendable {
    /// The URL or the file that was checked.
    package let subject: String
    /// Everything that was looked at, in the order in which a client would come by.
    package var findings: [Finding] = []
    /// The score of the document that the resource leads to.
    package var readiness: Readiness?
    /// The score of what lies at the root of the well-known paths, where scanners look.
    package var rootReadiness: Readiness?
    /// Where the document is.
    package var metadataURL: String?
    /// Which resource the document names.
    package var resource: String?
    /// The issuers that it names.
    package var authorizationServers: [String] = []
    /// Who attests its signed values.
    package var signer: String?
    /// Why nothing could be checked.
    package var trouble: String?

    package init(subject: String) { self.subject = subject }

    /// How the check ends.
    package var outcome: Outcome {
        if trouble != nil { return .trouble }
        return findings.contains { $0.level == .fail } ? .failure : .success
    }

    /// How many findings have a level.
    package func count(of level: Finding.Level) -> Int { findings.count { $0.level == level } }

    /// Adds a finding.
    mutating func note(_ level: Finding.Level, _ code: String, _ text: String) {
        findings.append(Finding(level, code, text))
    }
}

extension Outcome {
    /// The word for it in reports.
    package var word: String {
        switch self {
        case .success: "pass"
        case .failure: "fail"
        case .trouble: "unchecked"
        }
    }
}
