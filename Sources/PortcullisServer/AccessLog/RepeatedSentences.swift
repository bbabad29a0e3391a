// SPDX-License-Identifier: MIT

/// Counts sentences that many subjects have in common, so that a log names a few of them and the number of the
/// others.
package struct RepeatedSentences {
    /// The most subjects of one sentence that are named.
    package static let maxNamedCount = 20

    private var counts: [String: Int] = [:]
    private var order: [String] = []

    /// No sentence.
    package init() {}

    /// Counts the sentence, and returns whether to say it of this subject.
    package mutating func admits(_ sentence: String) -> Bool {
        let count = counts[sentence, default: 0] + 1
        counts[sentence] = count
        if count == Self.maxNamedCount + 1 { order.append(sentence) }
        return count <= Self.maxNamedCount
    }

    /// The sentences that were not said of every subject, and the number of these.
    package var omitted: [(sentence: String, count: Int)] {
        order.map { ($0, counts[$0, default: 0] - Self.maxNamedCount) }
    }
}
