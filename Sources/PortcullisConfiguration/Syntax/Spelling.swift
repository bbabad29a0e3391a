// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// Finds texts that differ by a slip of the keyboard.
package enum Spelling {
    /// The most bytes that are inserted, removed or replaced between similar texts.
    private static let maximumDistance = 2
    /// Longer texts are not compared.
    private static let maximumByteCount = 512

    /// Whether at most two bytes are inserted, removed or replaced between two texts, regardless of case.
    package static func areSimilar(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        guard max(first.count, second.count) <= maximumByteCount,
            abs(first.count - second.count) <= maximumDistance
        else { return false }
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
        return row[second.count] <= maximumDistance
    }
}
