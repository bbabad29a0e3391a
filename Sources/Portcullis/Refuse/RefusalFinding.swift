// SPDX-License-Identifier: MIT

/// What a request was to have and what it has, at the place where it was refused: for logs and metrics, never for the client.
///
/// Claims of a token stand here as they are, made printable and cut; tokens, proofs, nonces and identifiers by the beginning of their
/// SHA-256 hash at most.
public final class RefusalFinding: Sendable, Hashable, CustomStringConvertible {
    /// What would have been right.
    public let expected: String
    /// What there was.
    public let got: String

    package init(expected: String, got: String) {
        self.expected = expected
        self.got = got
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
