// SPDX-License-Identifier: MIT

/// The words behind a subcommand, sorted into flags, options with a value, and operands.
package struct CommandLineWords {
    /// What takes no option's place, in order.
    package private(set) var operands: [String] = []
    private var flags: Set<String> = []
    private var values: [String: String] = [:]

    /// Sorts the words.
    ///
    /// `--name=value` is the same as `--name value`; behind `--` everything is an operand.
    ///
    /// - Throws: ``Misuse`` for an unknown option, for one that stands there twice, and for one without its value.
    package init(_ words: [String], flags known: Set<String>, options: Set<String>) throws(Misuse) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                return
            }
            guard word.utf8.first == 0x2D, word.utf8.count > 1 else {
                operands.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if known.contains(name), parts.count == 1 {
                guard flags.insert(name).inserted else { throw Misuse("\(name) stands there twice") }
            } else if options.contains(name) {
                guard values[name] == nil else { throw Misuse("\(name) stands there twice") }
                guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst(), !value.isEmpty else {
                    throw Misuse("\(name) needs a value")
                }
                values[name] = value
            } else {
                throw Misuse("an unknown option on the command line")
            }
        }
    }

    /// Whether a flag is there.
    package func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// The value of an option, or nothing.
    package func value(of option: String) -> String? { values[option] }

    /// The number that an option has as its value, or nothing.
    ///
    /// - Throws: ``Misuse`` for anything but a number within the bounds.
    package func number(of option: String, in bounds: ClosedRange<Int>) throws(Misuse) -> Int? {
        guard let text = values[option] else { return nil }
        guard let number = Int(text), bounds.contains(number) else {
            throw Misuse("\(option) needs a number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }
}
