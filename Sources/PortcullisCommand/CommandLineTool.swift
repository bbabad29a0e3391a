// SPDX-License-Identifier: MIT

import PortcullisConfiguration
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
            return help(on: words.dropFirst().first, console)
        case "--version":
            console.write(ProductVersion.lines(of: "portcullis"))
            return .success
        case "--completions":
            return completions(for: words.dropFirst().first ?? "", console)
        default:
            break
        }
        guard let subcommand = subcommands.first(where: { $0.name == first }) else {
            let hint = Spelling.hint(for: first, among: names + ["--help", "--version", "--completions"])
            return misuse("unknown subcommand \"\(first)\"\(hint)", usage, console)
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
        return await ProgressLine(of: "portcullis \(first)", on: console).show(during: work)
    }

    private static var names: [String] { subcommands.map { $0.name } }

    /// Prints the help, or that of a subcommand.
    private static func help(on topic: String?, _ console: Console) -> Outcome {
        guard let topic else {
            console.write(usage)
            return .success
        }
        guard let subcommand = subcommands.first(where: { $0.name == topic }) else {
            let hint = Spelling.hint(for: topic, among: names)
            return misuse("there is no help on \"\(topic)\"\(hint)", usage, console)
        }
        console.write(subcommand.usage)
        return .success
    }

    private static func completions(for shell: String, _ console: Console) -> Outcome {
        let shells = ShellCompletions.Shell.allCases.map(\.rawValue)
        guard let known = ShellCompletions.Shell(rawValue: shell) else {
            return misuse("--completions needs one of \(shells.joined(separator: ", "))", usage, console)
        }
        let completions = ShellCompletions(
            of: "portcullis", usage: usage, words: ["--completions": shells, "--help": names],
            subcommands: subcommands.map { .init(name: $0.name, summary: $0.summary, usage: $0.usage) })
        console.write(completions.script(for: known))
        return .success
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

            portcullis --help SUBCOMMAND explains a subcommand. portcullis --version prints the versions of the
            program and of OpenSSL; portcullis --completions SHELL the completions for bash, zsh or fish.
            Colours are used on a terminal only, and not with NO_COLOR in the environment.
            Exit status: 0 success, 1 failure, 2 error.

            """
    }
}
