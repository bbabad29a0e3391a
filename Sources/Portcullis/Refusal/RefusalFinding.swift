// SPDX-License-Identifier: MIT

/// The expected and the actual value at the step that refused: for logs and metrics, never for the client.
///
/// Claims of a token appear as they are, made printable and truncated. Of tokens, nonces and identifiers only
/// the length appears, and from 32 characters on the first 16 of 43 characters of their SHA-256 hash: a
/// shorter value, such as a password sent by mistake, could be guessed. Neither text has more than about 1000
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

    /// Whether both say the same.
    public static func == (first: RefusalFinding, second: RefusalFinding) -> Bool {
        first.expected == second.expected && first.got == second.got
    }

    /// Hashes both texts.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(expected)
        hasher.combine(got)
    }

    /// Both texts.
    public var description: String { "expected \(expected), got \(got)" }
}
