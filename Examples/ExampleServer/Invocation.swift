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
    case check(file: String)
    case help
    case version
    case misuse(String)

    static let usage = """
        usage: example-server [--host HOST] [--port PORT]                 run the demo, without a file
               example-server --config FILE [--host HOST] [--port PORT]   serve the configuration in FILE
               example-server --check FILE                                print all problems of FILE
               example-server --help | --version
        Port 0 selects a free port.

        """

    init(_ words: some Sequence<String>) {
        var words = words.makeIterator()
        var values: [String: String] = [:]
        while let word = words.next() {
            switch word {
            case "--help", "-h":
                self = .help
                return
            case "--version":
                self = .version
                return
            case "--config", "--check", "--host", "--port":
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

    private init(_ values: [String: String]) {
        var address = Address(host: values["--host"])
        if let text = values["--port"] {
            guard let port = Int(text), (0...65_535).contains(port) else {
                self = .misuse(
                    "--port needs a number from 0 to 65535, not \"\(TerminalText.printable(text))\"")
                return
            }
            address.port = port
        }
        switch (values["--config"], values["--check"]) {
        case (nil, nil): self = .demo(address)
        case (let file?, nil): self = .serve(file: file, address)
        case (nil, let file?) where address.host == nil && address.port == nil: self = .check(file: file)
        case (nil, _): self = .misuse("--check cannot be combined with --host or --port")
        default: self = .misuse("--config and --check cannot be combined")
        }
    }
}
