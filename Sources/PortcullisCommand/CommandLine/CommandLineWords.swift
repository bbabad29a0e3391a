// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// A subcommand's arguments, parsed into flags, options with a value, and operands.
package struct CommandLineWords {
    /// The arguments that are neither flags nor options, in order.
    package private(set) var operands: [String] = []
    private var flags: Set<String> = []
    private var values: [String: String] = [:]
    private var lists: [String: [String]] = [:]
    /// The options that may be given more than once, with their values, in order.
    package private(set) var sequence: [(option: String, value: String)] = []

    /// Parses arguments.
    ///
    /// `--name=value` is the same as `--name value`; after `--` every argument is an operand.
    ///
    /// - Throws: ``Misuse`` for an unknown option, one without its value, and one given more than once that is
    ///   not repeatable.
    package init(
        _ words: [String], flags known: Set<String>, options: Set<String>, repeatable: Set<String> = []
    ) throws(Misuse) {
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
                guard flags.insert(name).inserted else { throw Misuse("\(name) given more than once") }
            } else if options.contains(name) {
                guard values[name] == nil else { throw Misuse("\(name) given more than once") }
                guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst(), !value.isEmpty else {
                    throw Misuse("\(name) needs a value")
                }
                values[name] = value
            } else if repeatable.contains(name) {
                guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst(), !value.isEmpty else {
                    throw Misuse("\(name) needs a value")
                }
                lists[name, default: []].append(value)
                sequence.append((name, value))
            } else {
                let all = known.union(options).union(repeatable).union(["--help"]).sorted()
                throw Misuse("unknown option \(name)\(Spelling.hint(for: name, among: all))")
            }
        }
    }

    /// Whether a flag is given.
    package func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// The value of an option, or `nil` if it is not given.
    package func value(of option: String) -> String? { values[option] }

    /// The values of an option that may be given more than once, in order.
    package func values(of option: String) -> [String] { lists[option] ?? [] }

    /// The value of an option as a number, or `nil` if it is not given.
    ///
    /// - Throws: ``Misuse`` for anything but a number within the bounds.
    package func number(of option: String, in bounds: ClosedRange<Int>) throws(Misuse) -> Int? {
        guard let text = values[option] else { return nil }
        guard let number = Int(text), bounds.contains(number) else {
            throw Misuse(
                "\(option) needs a number from \(bounds.lowerBound) to \(bounds.upperBound), not \"\(text)\"")
        }
        return number
    }
}
