// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// The parsed command line.
enum Invocation {
    /// The listener that replaces the file's or the demo's.
    struct Address {
        var host: String?
        var port: Int?
    }

    case demo(Address)
    case serve(file: String, Address)
    case guarding(GuardWords)
    case check(file: String)
    case help(HelpTopic?)
    case version
    case completions(ShellCompletions.Shell)
    case misuse(String)

    init(_ words: some Sequence<String>) {
        var words = words.makeIterator()
        var values: [String: String] = [:]
        while let given = words.next() {
            // --name=value is the same as --name value.
            let parts = given.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let word = parts.count == 2 && Self.options.contains(String(parts[0])) ? String(parts[0]) : given
            let joined = word == given ? nil : String(parts[1])
            switch word {
            case "--help", "-h":
                self.init(helpWith: words.next())
                return
            case "--version":
                self = .version
                return
            case "--completions":
                self.init(completionsFor: joined ?? words.next())
                return
            case _ where Self.options.contains(word):
                guard values[word] == nil else {
                    self = .misuse("\(word) given more than once")
                    return
                }
                guard let value = joined ?? words.next(), !value.isEmpty else {
                    self = .misuse("\(word) needs a value")
                    return
                }
                values[word] = value
            default:
                let known = Self.options + ["--help", "--version"]
                let hint = Spelling.hint(for: String(parts[0]), among: known)
                self = .misuse("unexpected argument \(Self.quoted(word))\(hint)")
                return
            }
        }
        self.init(values)
    }

    private init(helpWith topic: String?) {
        guard let topic else {
            self = .help(nil)
            return
        }
        guard let known = HelpTopic(rawValue: topic) else {
            let topics = HelpTopic.allCases.map(\.rawValue)
            self = .misuse(
                "there is no help on \(Self.quoted(topic))\(Spelling.hint(for: topic, among: topics))\n"
                    + "topics: \(topics.joined(separator: ", "))")
            return
        }
        self = .help(known)
    }

    /// The options that have a value.
    private static let options =
        ["--config", "--check", "--host", "--port", "--completions"] + GuardWords.options

    private init(completionsFor shell: String?) {
        guard let shell, let known = ShellCompletions.Shell(rawValue: shell) else {
            let shells = ShellCompletions.Shell.allCases.map(\.rawValue).joined(separator: ", ")
            self = .misuse("--completions needs one of \(shells)")
            return
        }
        self = .completions(known)
    }

    private static func quoted(_ word: String) -> String { "\"\(TerminalText.printable(word))\"" }

    private init(_ values: [String: String]) {
        var address = Address(host: values["--host"])
        do throws(WrongWord) {
            address.port = try values["--port"].map { text throws(WrongWord) in
                try Self.port(text, of: "--port")
            }
            if let upstream = values["--guard"], values["--config"] == nil, values["--check"] == nil {
                self = .guarding(try GuardWords(upstream, values, address))
                return
            }
        } catch {
            self = .misuse(TerminalText.printable(error.description))
            return
        }
        if values["--guard"] != nil {
            self = .misuse("--guard cannot be combined with --config or --check")
            return
        }
        if let option = GuardWords.options.first(where: { values[$0] != nil }) {
            self = .misuse("\(option) needs --guard")
            return
        }
        switch (values["--config"], values["--check"]) {
        case (nil, nil) where address.host?.hasPrefix("unix:") == true:
            self = .misuse("--host unix:… needs --config; the demo listens on an address")
        case (nil, nil): self = .demo(address)
        case (let file?, nil): self = .serve(file: file, address)
        case (nil, let file?) where address.host == nil && address.port == nil: self = .check(file: file)
        case (nil, _): self = .misuse("--check cannot be combined with --host or --port")
        default: self = .misuse("--config and --check cannot be combined")
        }
    }

    /// The number of a port, or 0 for any.
    static func port(_ text: String, of option: String) throws(WrongWord) -> Int {
        guard let port = Int(text), (0...65_535).contains(port) else {
            throw WrongWord("\(option) needs a number from 0 to 65535, not \"\(text)\"")
        }
        return port
    }
}
