// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// Finds texts that differ by a slip of the keyboard.
package enum Spelling {
    /// The most bytes that are inserted, removed or replaced between similar texts.
    private static let maximumDistance = 2
    /// Longer texts are not compared.
    private static let maximumByteCount = 512
    /// Shorter words are similar to too many others.
    private static let minimumWordByteCount = 3

    /// Whether at most two bytes are inserted, removed or replaced between two texts, regardless of case.
    package static func areSimilar(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        distance(first, second) != nil
    }

    /// Returns `; did you mean …?` for a mistyped word of a command line, or nothing if no word is similar.
    ///
    /// - Parameters:
    ///   - word: The word that nothing expects.
    ///   - words: The words that could be meant.
    package static func hint(for word: String, among words: [String]) -> String {
        let bytes = Array(word.utf8)
        guard bytes.filter({ $0 != 0x2D }).count >= minimumWordByteCount else { return "" }
        var best: (word: String, distance: Int)?
        for candidate in words {
            let isStart = candidate.utf8.starts(with: bytes)
            guard let distance = isStart ? 0 : Self.distance(bytes, Array(candidate.utf8)),
                best.map({ distance < $0.distance }) ?? true
            else { continue }
            best = (candidate, distance)
        }
        return best.map { "; did you mean \($0.word)?" } ?? ""
    }

    /// How many bytes are inserted, removed or replaced, or `nil` if these are more than two.
    private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int? {
        guard max(first.count, second.count) <= maximumByteCount,
            abs(first.count - second.count) <= maximumDistance
        else { return nil }
        let (first, second) = (first.map(CharacterClass.lowercase), second.map(CharacterClass.lowercase))
        var row = Array(0...second.count)
        for (index, byte) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in second.indices {
                let replaced = diagonal + (byte == second[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[second.count] <= maximumDistance ? row[second.count] : nil
    }
}
