// SPDX-License-Identifier: MIT

/// One of the things that `portcullis` does, chosen by the first word behind it.
package protocol Subcommand {
    /// The word that chooses it.
    static var name: String { get }
    /// What it does, in one line.
    static var summary: String { get }
    /// Its command lines, one a line, and what their words mean.
    static var usage: String { get }
    /// Reads its words, and says what is to be done.
    ///
    /// - Throws: ``Misuse`` for words that it does not take.
    static func work(for words: [String]) throws(Misuse) -> Work

    typealias Work = @Sendable (Console) async -> Outcome
}

/// How the program ends.
package enum Outcome: Int32, Sendable {
    /// What was asked for is so.
    case success = 0
    /// What was asked for is not so.
    case failure = 1
    /// It could not be found out: wrong words, an unreadable file, a host that does not answer.
    case trouble = 2
}

/// Words on the command line that say nothing.
package struct Misuse: Error, Hashable {
    /// What is wrong with them.
    package let message: String

    package init(_ message: String) { self.message = message }
}

extension Misuse: CustomStringConvertible {
    /// What is wrong with the words.
    package var description: String { message }
}
