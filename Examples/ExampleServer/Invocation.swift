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
    case misuse(String)

    init(_ words: some Sequence<String>) {
        var words = words.makeIterator()
        var values: [String: String] = [:]
        while let word = words.next() {
            switch word {
            case "--help", "-h":
                self.init(helpWith: words.next())
                return
            case "--version":
                self = .version
                return
            case "--config", "--check", "--host", "--port", "--guard", "--resource", "--issuer-port":
                guard values[word] == nil else {
                    self = .misuse("\(word) given more than once")
                    return
                }
                guard let value = words.next(), !value.isEmpty else {
                    self = .misuse("\(word) needs a value")
                    return
                }
                values[word] = value
            default:
                self = .misuse("unexpected argument \"\(TerminalText.printable(word))\"")
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
            let topics = HelpTopic.allCases.map(\.rawValue).joined(separator: ", ")
            self = .misuse("there is no help on \(Self.quoted(topic)); the topics are \(topics)")
            return
        }
        self = .help(known)
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
