// SPDX-License-Identifier: MIT

import PortcullisTransport

/// `portcullis`: finds the subcommand and lets it do its work.
package enum CommandLineTool {
    /// All subcommands, in the order of the help.
    package static var subcommands: [any Subcommand.Type] {
        [CheckCommand.self, ExplainCommand.self, InitCommand.self]
    }

    /// Runs a command line.
    ///
    /// Writes the help to standard output and returns success; writes errors to standard error.
    package static func run(_ words: [String], console: Console) async -> Outcome {
        guard let first = words.first else { return misuse("missing subcommand", usage, console) }
        switch first {
        case "--help", "-h", "help":
            console.write(usage)
            return .success
        case "--version":
            console.write("portcullis \(ProductVersion.text)\n")
            return .success
        default:
            break
        }
        guard let subcommand = subcommands.first(where: { $0.name == first }) else {
            return misuse("unknown subcommand \"\(first)\"", usage, console)
        }
        let rest = Array(words.dropFirst())
        // After a lone -- every argument is an operand.
        if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
            console.write(subcommand.usage)
            return .success
        }
        let work: Subcommand.Work
        do throws(Misuse) {
            work = try subcommand.work(for: rest)
        } catch {
            return misuse(error.message, subcommand.usage, console)
        }
        return await work(console)
    }

    private static func misuse(_ message: String, _ usage: String, _ console: Console) -> Outcome {
        console.writeError("portcullis: \(message)\n\(usage)")
        return .trouble
    }

    /// The program's help.
    package static var usage: String {
        let width = subcommands.map { $0.name.count }.max() ?? 0
        let list = subcommands.map { subcommand in
            let gap = String(repeating: " ", count: width - subcommand.name.count + 2)
            return "  \(subcommand.name)\(gap)\(subcommand.summary)\n"
        }
        return "usage: portcullis SUBCOMMAND …\n\n" + list.joined() + """

            portcullis SUBCOMMAND --help explains a subcommand. portcullis --version prints the version.
            Exit status: 0 success, 1 failure, 2 error.

            """
    }
}
