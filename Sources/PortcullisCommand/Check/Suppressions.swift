// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Findings that the user accepts for some time, each with a reason.
package struct Suppressions: Sendable {
    /// The maximum length of the file, in bytes.
    package static let maximumByteCount = 1_048_576

    private struct Entry: Sendable {
        let code: String
        let subject: String
        let reason: String?
        let until: String?
        let position: Int

        /// Why the entry does not apply on a day, or `nil` if it applies.
        func objection(on day: String) -> String? {
            if reason?.isEmpty ?? true { return "it gives no reason" }
            guard let until else { return "it gives no end date" }
            guard Self.isDay(until) else { return "its end date is not of the form 2026-12-31" }
            return day <= until ? nil : "it ended on \(until)"
        }

        private static func isDay(_ text: String) -> Bool {
            let parts = text.utf8.split(separator: 0x2D, omittingEmptySubsequences: false)
            return parts.map(\.count) == [4, 2, 2]
                && parts.allSatisfy { $0.allSatisfy { 0x30...0x39 ~= $0 } }
        }
    }

    private let entries: [Entry]

    /// Reads a JSON array of objects with `code`, `subject`, `reason` and `until`, a day such as 2026-12-31
    /// that still counts.
    ///
    /// - Throws: ``Misuse`` for another document.
    package init(_ bytes: [UInt8]) throws(Misuse) {
        guard let array = (try? JSONValue.parse(bytes))?.array else {
            throw Misuse("the suppressions are not a JSON array")
        }
        var entries: [Entry] = []
        for (index, value) in array.enumerated() {
            let object = value.object ?? [:]
            for member in object.members
            where !["code", "subject", "reason", "until"].contains(member.name) {
                throw Misuse("suppression \(index + 1) has the unknown member \"\(member.name)\"")
            }
            guard let code = object["code"]?.string, let subject = object["subject"]?.string else {
                throw Misuse("suppression \(index + 1) needs code and subject")
            }
            guard CheckRule.index(of: code) != nil else {
                throw Misuse("suppression \(index + 1) names the unknown code \"\(code)\"")
            }
            entries.append(
                Entry(
                    code: code, subject: subject, reason: object["reason"]?.string,
                    until: object["until"]?.string, position: index + 1))
        }
        self.entries = entries
    }

    /// Marks the findings that an entry accepts; an entry that has ended or lacks its reason gets a warning.
    ///
    /// - Parameter day: The present day in UTC, such as 2026-12-01.
    package func apply(to report: inout CheckReport, on day: String) {
        for entry in entries where entry.subject.utf8.elementsEqual(report.subject.utf8) {
            let indices = report.findings.indices.filter {
                report.findings[$0].code == entry.code && [.warn, .fail].contains(report.findings[$0].level)
            }
            if let objection = entry.objection(on: day) {
                report.findings.append(
                    Finding(
                        .warn, "suppression.void",
                        "Suppression \(entry.position) of \(entry.code) does not count: \(objection).",
                        about: entry.code))
            } else if indices.isEmpty {
                report.findings.append(
                    Finding(
                        .note, "suppression.unused",
                        "Suppression \(entry.position) of \(entry.code) has nothing to suppress.",
                        about: entry.code))
            } else {
                for index in indices { report.findings[index].suppression = entry.reason }
            }
        }
    }
}
