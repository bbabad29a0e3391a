// SPDX-License-Identifier: MIT

import Foundation
import PortcullisConfiguration
import Testing

@Suite("Completions of command lines")
struct ShellCompletionTests {
    private static let plain = ShellCompletions(
        of: "some-program",
        usage: """
            usage: some-program [--port PORT] --config FILE | --help [TOPIC]
            With --quick. Without it, --json is slower. --header "NAME: VALUE" adds a field.
            """, words: ["--help": ["config", "status"]])

    private static let nested = ShellCompletions(
        of: "tool", usage: "usage: tool SUBCOMMAND … tool --version prints it", words: [:],
        subcommands: [
            .init(name: "check", summary: "checks a thing", usage: "tool check [--file FILE] [--json] URL"),
            .init(name: "init", summary: "it's a start: writes", usage: "tool init ISSUER [--token -]"),
        ])

    /// Completes a command line with the real bash.
    private func complete(_ completions: ShellCompletions, _ words: String...) throws -> [String] {
        let program = words[0].map { $0 == "-" ? "_" : $0 }
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        let script = """
            \(completions.script(for: .bash))
            COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count - 1); _\(String(program))
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let bash = Process()
        bash.executableURL = URL(fileURLWithPath: "/bin/bash")
        bash.arguments = ["-c", script]
        bash.currentDirectoryURL = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let pipe = Pipe()
        bash.standardOutput = pipe
        try bash.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        bash.waitUntilExit()
        #expect(bash.terminationStatus == 0)
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init).sorted()
    }

    @Test func `bash completes options, files and words`() throws {
        let all = ["--config", "--header", "--help", "--json", "--port", "--quick"]
        #expect(try complete(Self.plain, "some-program", "") == all)
        #expect(try complete(Self.plain, "some-program", "--h") == ["--header", "--help"])
        #expect(try complete(Self.plain, "some-program", "--help", "") == ["config", "status"])
        #expect(try complete(Self.plain, "some-program", "--port", "") == [])
        #expect(
            try complete(Self.plain, "some-program", "--config", "ShellCompl")
                == ["ShellCompletionTests.swift"])
    }

    @Test func `bash completes subcommands and their options`() throws {
        #expect(try complete(Self.nested, "tool", "") == ["--version", "check", "init"])
        #expect(try complete(Self.nested, "tool", "check", "--") == ["--file", "--json"])
        #expect(try complete(Self.nested, "tool", "init", "--t") == ["--token"])
    }

    @Test func `zsh and fish get the same options`() {
        for shell in [ShellCompletions.Shell.zsh, .fish] {
            let script = Self.nested.script(for: shell)
            for word in ["check", "init", "file", "json", "token", "version", "checks a thing"] {
                #expect(script.contains(word), "\(shell): \(word)")
            }
            #expect(!script.contains("it's"))
        }
        #expect(Self.plain.script(for: .zsh).hasPrefix("#compdef some-program\n"))
        #expect(Self.plain.script(for: .fish).contains("complete -c some-program -f -l config -r -F\n"))
        #expect(
            Self.plain.script(for: .fish).contains(
                "complete -c some-program -f -l help -x -a 'config status'\n"))
    }

    @Test(arguments: [
        ("--prot", "; did you mean --port?"), ("--conf", "; did you mean --config?"),
        ("--PORT", "; did you mean --port?"), ("--nonsense", ""), ("-p", ""), ("file.json", ""),
        ("--chekc", "; did you mean --check?"), ("--", ""),
    ])
    func `a mistyped word is likely one of the known ones`(word: String, hint: String) {
        #expect(Spelling.hint(for: word, among: ["--config", "--check", "--port", "--host"]) == hint)
    }
}
