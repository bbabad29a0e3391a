// SPDX-License-Identifier: MIT

/// What the words on the command line ask for.
enum Invocation {
    /// Where to listen, if not where the file or the demo says.
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
        usage: example-server [--host HOST] [--port PORT]                 the demo: nothing to configure
               example-server --config FILE [--host HOST] [--port PORT]   serve what FILE describes
               example-server --check FILE                                say what is wrong with FILE
               example-server --help | --version
        A port of 0 is any free one.

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
                    self = .misuse("\(word) stands there twice")
                    return
                }
                guard let value = words.next(), !value.isEmpty else {
                    self = .misuse("\(word) needs a value")
                    return
                }
                values[word] = value
            default:
                self = .misuse("an unknown word on the command line")
                return
            }
        }
        self.init(values)
    }

    private init(_ values: [String: String]) {
        var address = Address(host: values["--host"])
        if let text = values["--port"] {
            guard let port = Int(text), (0...65_535).contains(port) else {
                self = .misuse("--port needs a number from 0 to 65535")
                return
            }
            address.port = port
        }
        switch (values["--config"], values["--check"]) {
        case (nil, nil): self = .demo(address)
        case (let file?, nil): self = .serve(file: file, address)
        case (nil, let file?) where address.host == nil && address.port == nil: self = .check(file: file)
        case (nil, _): self = .misuse("--check listens nowhere, so it takes no --host and no --port")
        default: self = .misuse("--config and --check exclude each other")
        }
    }
}
