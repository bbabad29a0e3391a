// SPDX-License-Identifier: MIT

/// The scripts with which shells complete a program's command line.
///
/// Reads the options from the program's help, so that both always have the same ones.
package struct ShellCompletions {
    /// A shell with completion scripts.
    package enum Shell: String, CaseIterable, Sendable {
        case bash, zsh, fish
    }

    /// A subcommand and its help.
    package struct Subcommand {
        let name: String
        let summary: String
        let usage: String

        package init(name: String, summary: String, usage: String) {
            self.name = name
            self.summary = summary
            self.usage = usage
        }
    }

    /// What follows an option.
    private enum Value: Equatable {
        case absent, file, other
        case words([String])
    }

    private struct Option {
        let name: String
        let value: Value
    }

    private let program: String
    private let options: [Option]
    private let subcommands: [(subcommand: Subcommand, options: [Option])]

    /// Reads the help of a program.
    ///
    /// - Parameters:
    ///   - usage: The program's help.
    ///   - words: The values of options that have a few.
    package init(
        of program: String, usage: String, words: [String: [String]], subcommands: [Subcommand] = []
    ) {
        self.program = program
        options = Self.options(in: usage, words)
        self.subcommands = subcommands.map { ($0, Self.options(in: $0.usage, [:])) }
    }

    /// The options of a help text: an option has a value if a word in capital letters or in quotation marks
    /// follows it somewhere.
    private static func options(in usage: String, _ words: [String: [String]]) -> [Option] {
        let pieces = usage.split { $0 == " " || $0 == "\n" }
        var values: [String: Value] = [:]
        for (index, piece) in pieces.enumerated() {
            let start = piece.drop { $0 == "[" || $0 == "(" }
            let name = String(start.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
            guard name.hasPrefix("--"), name.count > 2 else { continue }
            let next = start.count == name.count && index + 1 < pieces.count ? pieces[index + 1] : ""
            let value = words[name].map(Value.words) ?? kind(of: next)
            if values[name] ?? .absent == .absent { values[name] = value }
        }
        return values.sorted { $0.key < $1.key }.map { Option(name: $0.key, value: $0.value) }
    }

    private static func kind(of word: Substring) -> Value {
        guard let first = word.first, first == "\"" || first.isASCII && first.isUppercase else {
            return .absent
        }
        return word.hasPrefix("FILE") ? .file : .other
    }

    /// The script, to be read by the shell at its start.
    package func script(for shell: Shell) -> String {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    /// The program's name as part of a function's name.
    private var function: String { "_" + String(program.map { $0 == "-" ? "_" : $0 }) }

    // MARK: bash

    private var bash: String {
        var cases = ""
        for (subcommand, options) in subcommands {
            cases +=
                "        \(subcommand.name))\n" + Self.bash(options, indent: "            ")
                + "            ;;\n"
        }
        let first = subcommands.map(\.subcommand.name)
        let own = Self.bash(options, more: first, indent: subcommands.isEmpty ? "    " : "            ")
        let body =
            subcommands.isEmpty
            ? own : "    case ${COMP_WORDS[1]} in\n\(cases)        *)\n\(own)            ;;\n    esac\n"
        return """
            # bash: eval "$(\(program) --completions bash)"
            \(function)() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
                COMPREPLY=()
            \(body)}
            complete -o filenames -F \(function) \(program)

            """
    }

    private static func bash(_ options: [Option], more: [String] = [], indent: String) -> String {
        var lines = ["case $before in"]
        let files = options.filter { $0.value == .file }.map(\.name)
        if !files.isEmpty {
            lines.append("    \(files.joined(separator: "|"))) COMPREPLY=($(compgen -f -- \"$word\")) ;;")
        }
        for option in options {
            guard case .words(let words) = option.value else { continue }
            let list = words.joined(separator: " ")
            lines.append("    \(option.name)) COMPREPLY=($(compgen -W \"\(list)\" -- \"$word\")) ;;")
        }
        let others = options.filter { $0.value == .other }.map(\.name)
        if !others.isEmpty { lines.append("    \(others.joined(separator: "|"))) ;;") }
        let all = (more + options.map(\.name)).joined(separator: " ")
        lines += ["    *) COMPREPLY=($(compgen -W \"\(all)\" -- \"$word\")) ;;", "esac"]
        return lines.map { indent + $0 + "\n" }.joined()
    }

    // MARK: zsh

    private var zsh: String {
        let own = Self.zsh(options)
        guard !subcommands.isEmpty else {
            return """
                #compdef \(program)
                # zsh: \(program) --completions zsh > a folder of $fpath, as \(function)
                _arguments \(own.joined(separator: " \\\n    "))

                """
        }
        let names = subcommands.map { "'\($0.subcommand.name):\(Self.quoted($0.subcommand.summary))'" }
        var cases = ""
        for (subcommand, options) in subcommands {
            cases += """
                        \(subcommand.name))
                            _arguments \(Self.zsh(options).joined(separator: " \\\n                "))
                            ;;

                """
        }
        return """
            #compdef \(program)
            # zsh: \(program) --completions zsh > a folder of $fpath, as \(function)
            local state line
            local -a subcommands=(
                \(names.joined(separator: "\n    "))
            )
            _arguments -C \(own.joined(separator: " \\\n    ")) \\
                '1: :->subcommand' '*:: :->arguments'
            case $state in
                subcommand) _describe subcommand subcommands ;;
                arguments)
                    case $line[1] in
            \(cases)        esac
                    ;;
            esac

            """
    }

    private static func zsh(_ options: [Option]) -> [String] {
        options.map { option in
            switch option.value {
            case .absent: "'\(option.name)'"
            case .file: "'\(option.name):file:_files'"
            case .other: "'\(option.name):value: '"
            case .words(let words): "'\(option.name):word:(\(words.joined(separator: " ")))'"
            }
        }
    }

    // MARK: fish

    private var fish: String {
        var lines = ["# fish: \(program) --completions fish > ~/.config/fish/completions/\(program).fish"]
        let none = subcommands.isEmpty ? "" : " -n __fish_use_subcommand"
        lines += options.map { "complete -c \(program)\(none) -f" + Self.fish($0) }
        for (subcommand, options) in subcommands {
            lines.append(
                "complete -c \(program) -n __fish_use_subcommand -f -a \(subcommand.name) "
                    + "-d '\(Self.quoted(subcommand.summary))'")
            let seen = " -n '__fish_seen_subcommand_from \(subcommand.name)' -f"
            lines += options.map { "complete -c \(program)" + seen + Self.fish($0) }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func fish(_ option: Option) -> String {
        let name = " -l " + option.name.dropFirst(2)
        switch option.value {
        case .absent: return name
        case .file: return name + " -r -F"
        case .other: return name + " -x"
        case .words(let words): return name + " -x -a '\(words.joined(separator: " "))'"
        }
    }

    /// A text within quotation marks of a shell.
    private static func quoted(_ text: String) -> String { String(text.filter { $0 != "'" && $0 != ":" }) }
}
