// SPDX-License-Identifier: MIT

/// What a request was to have and what it has, at the place where it was refused: for logs and metrics, never for the client.
///
/// Claims of a token stand here as they are, made printable and cut. Of tokens, nonces and identifiers there is the length, and from 32
/// characters on the first 16 of 43 of their SHA-256 hash: what is shorter could be guessed, and so could be a password that somebody has
/// sent as a token. Neither text has more than about 1000 bytes.
public final class RefusalFinding: Sendable, Hashable, CustomStringConvertible {
    /// What would have been right.
    public let expected: String
    /// What there was.
    public let got: String

    package init(expected: String, got: String) {
        self.expected = FindingWords.bounded(expected)
        self.got = FindingWords.bounded(got)
    }

    /// Whether both say the same.
    public static func == (first: RefusalFinding, second: RefusalFinding) -> Bool {
        first.expected == second.expected && first.got == second.got
    }

    /// Feeds both texts.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(expected)
        hasher.combine(got)
    }

    /// Both texts.
    public var description: String { "expected \(expected), got \(got)" }
}
