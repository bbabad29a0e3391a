// SPDX-License-Identifier: MIT

/// The expected and the actual value at the step that refused: for logs and metrics, never for the client.
///
/// Claims of a token appear as printable, truncated text. Tokens, nonces and identifiers appear only as their
/// length, and from 32 characters on also with the first 16 of the 43 characters of their SHA-256 hash: a
/// shorter value, such as a password sent by mistake, could be guessed. Each value has at most about 1000
/// bytes.
public final class RefusalFinding: Sendable, Hashable, CustomStringConvertible {
    /// What the resource expected.
    public let expected: String
    /// What the request had.
    public let got: String

    package init(expected: String, got: String) {
        self.expected = FindingWords.bounded(expected)
        self.got = FindingWords.bounded(got)
    }

    /// Whether both have the same values.
    public static func == (first: RefusalFinding, second: RefusalFinding) -> Bool {
        first.expected == second.expected && first.got == second.got
    }

    /// Hashes both values.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(expected)
        hasher.combine(got)
    }

    /// Both values in one phrase.
    public var description: String { "expected \(expected), got \(got)" }
}
