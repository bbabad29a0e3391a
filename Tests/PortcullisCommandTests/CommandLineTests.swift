// SPDX-License-Identifier: MIT

import PortcullisCommand
import Synchronization
import Testing

/// A console that records what the command writes.
final class Transcript: Sendable {
    private let state = Mutex((output: "", errors: ""))

    var output: String { state.withLock { $0.output } }
    var errors: String { state.withLock { $0.errors } }

    func console(hasColours: Bool = false, isErrorTerminal: Bool = false) -> Console {
        Console(
            hasColours: hasColours, isErrorTerminal: isErrorTerminal,
            output: { text in
                self.state.withLock { $0.output += text }
                return true
            },
            errors: { text in self.state.withLock { $0.errors += text } })
    }

    func run(_ words: String...) async -> Outcome {
        await CommandLineTool.run(words, console: console())
    }
}

@Suite("The command line of portcullis")
struct CommandLineTests {
    let transcript = Transcript()

    @Test(arguments: ["--help", "-h", "help"])
    func `the help names every subcommand and exits with 0`(word: String) async {
        #expect(await transcript.run(word) == .success)
        for subcommand in CommandLineTool.subcommands {
            #expect(transcript.output.contains(subcommand.name + " "))
            #expect(transcript.output.contains(subcommand.summary))
        }
        #expect(transcript.errors == "")
    }

    @Test func `the console remembers output that it could not write`() async {
        let console = Console(output: { _ in false }, errors: { _ in })
        #expect(console.hasWrittenAll)
        _ = await CommandLineTool.run(["--help"], console: console)
        #expect(!console.hasWrittenAll)
        let good = transcript.console()
        good.write("text")
        #expect(good.hasWrittenAll)
    }

    @Test func `each subcommand has its own help`() async {
        for subcommand in CommandLineTool.subcommands {
            let transcript = Transcript()
            #expect(await transcript.run(subcommand.name, "anything", "--help") == .success)
            #expect(transcript.output == subcommand.usage)
        }
    }

    @Test(arguments: [
        [], ["chekc"], ["check"], ["check", "--what"], ["check", "--file"], ["check", "--file", ""],
        ["check", "--file", "a", "--file", "b"], ["check", "--file", "a", "https://h"],
        ["check", "https://h", "--concurrency", "0"], ["check", "https://h", "--concurrency", "x"],
        ["check", "--file", "a", "--allow-private"],
    ])
    func `a wrong command line is explained on standard error and exits with 2`(words: [String]) async {
        #expect(await CommandLineTool.run(words, console: transcript.console()) == .trouble)
        #expect(transcript.output == "")
        #expect(transcript.errors.hasPrefix("portcullis: "))
        #expect(transcript.errors.contains("usage: portcullis "))
    }

    @Test func `options accept a space or an equals sign before the value, and -- ends them`() throws {
        let words = try CommandLineWords(
            ["a", "--file=x=y", "--json", "--concurrency", "3", "--", "--json"], flags: ["--json"],
            options: ["--file", "--concurrency"])
        #expect(words.operands == ["a", "--json"])
        #expect(words.value(of: "--file") == "x=y")
        #expect(words.has("--json"))
        #expect(try words.number(of: "--concurrency", in: 1...9) == 3)
        #expect(throws: Misuse.self) { try words.number(of: "--concurrency", in: 4...9) }
        #expect(throws: Misuse.self) { try CommandLineWords(["--json=1"], flags: ["--json"], options: []) }
        #expect(throws: Misuse.self) {
            try CommandLineWords(["--json", "--json"], flags: ["--json"], options: [])
        }
    }

    @Test func `the help on a subcommand is that of the subcommand`() async {
        for subcommand in CommandLineTool.subcommands {
            let transcript = Transcript()
            #expect(await transcript.run("help", subcommand.name) == .success)
            #expect(transcript.output == subcommand.usage)
        }
        #expect(await transcript.run("--help", "chek") == .trouble)
        #expect(transcript.errors.contains("did you mean check?"))
    }

    @Test(arguments: [
        (["chekc"], "check"), (["check", "--jsno", "https://h"], "--json"), (["--versoin"], "--version"),
        (["explain", "--confg", "a"], "--config"), (["init", "--tokn=-"], "--token"),
    ])
    func `a mistyped word gets a suggestion`(words: [String], meant: String) async {
        #expect(await CommandLineTool.run(words, console: transcript.console()) == .trouble)
        #expect(transcript.errors.contains("; did you mean \(meant)?\n"))
    }

    @Test func `the version names OpenSSL's`() async {
        #expect(await transcript.run("--version") == .success)
        let lines = transcript.output.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasPrefix("portcullis ") && lines[1].hasPrefix("OpenSSL "))
    }

    @Test func `each shell has completions with every subcommand and option`() async {
        for shell in ["bash", "zsh", "fish"] {
            let transcript = Transcript()
            #expect(await transcript.run("--completions", shell) == .success)
            for word in CommandLineTool.subcommands.map({ $0.name }) + ["concurrency", "request-id", "token"]
            {
                #expect(transcript.output.contains(word), "\(shell): \(word)")
            }
        }
        #expect(await transcript.run("--completions", "csh") == .trouble)
        #expect(await transcript.run("--completions") == .trouble)
    }

    // MARK: Progress

    private func progress(isTerminal: Bool, _ work: @escaping Subcommand.Work) async -> Transcript {
        let console = transcript.console(isErrorTerminal: isTerminal)
        let line = ProgressLine(of: "portcullis check", on: console, every: .milliseconds(20))
        #expect(await line.show(during: work) == .success)
        return transcript
    }

    @Test func `a silent subcommand shows on a terminal that it works, and removes that before its output`()
        async
    {
        let shown = await progress(isTerminal: true) { [transcript] console in
            let deadline = ContinuousClock.now + .seconds(30)
            while transcript.errors.isEmpty, .now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
            console.write("report\n")
            return .success
        }
        #expect(shown.errors.contains("portcullis check: ") && shown.errors.contains(" s …"))
        #expect(shown.errors.hasSuffix("\r\u{1B}[K"))
        #expect(shown.output == "report\n")
    }

    @Test func `without a terminal, and for a quick subcommand, there is no progress`() async {
        let piped = await progress(isTerminal: false) { _ in
            try? await Task.sleep(for: .milliseconds(100))
            return .success
        }
        #expect(piped.errors == "")
        let transcript = Transcript()
        let console = transcript.console(isErrorTerminal: true)
        let line = ProgressLine(of: "portcullis check", on: console, every: .seconds(3600))
        #expect(await line.show { _ in .success } == .success)
        #expect(transcript.errors == "")
    }
}
