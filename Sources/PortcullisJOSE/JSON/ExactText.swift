// SPDX-License-Identifier: MIT

/// A text as a key: equal only to the same code points, unlike `String`, which compares by canonical
/// equivalence.
///
/// RFC 8259 §8.3.
package struct ExactText: Sendable, Hashable {
    private let text: String

    package init(_ text: String) {
        self.text = text
    }

    /// Whether both have the same code points.
    package static func == (first: ExactText, second: ExactText) -> Bool {
        CodePoints.equal(first.text, second.text)
    }

    /// Hashes the text; texts with the same code points are canonically equivalent.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }
}
