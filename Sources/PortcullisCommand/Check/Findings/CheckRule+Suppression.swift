// SPDX-License-Identifier: MIT

extension CheckRule {
    /// The user's own list of accepted findings.
    static let suppressionRules: [CheckRule] = [
        CheckRule(
            "suppression.void", .warn, "Each suppression has a reason and an end date that has not passed.",
            clause: "portcullis check --suppressions", client: "Nothing; the finding counts.",
            mend: "Repair the fault, or renew the entry with a reason and a later date."),
        CheckRule(
            "suppression.unused", .note, "Each suppression has a finding.",
            clause: "portcullis check --suppressions", client: "Nothing.", mend: "Remove the entry."),
    ]
}
