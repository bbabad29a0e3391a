// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The user's tokens for a check; no description contains them.
package struct CheckTokens: Sendable, CustomStringConvertible, CustomReflectable {
    /// The maximum length of a token's file, in bytes.
    package static let maximumByteCount = 65_536
    /// The variable with the token, if there is no `--token-file`.
    package static let variable = "PORTCULLIS_TOKEN"

    /// A token that the resource accepts.
    package let token: String
    /// A token of the same issuer for another audience.
    package let foreign: String?
    /// A token that was good and has expired.
    package let expired: String?
    /// An ID token of the same issuer.
    package let identity: String?
    /// A good token without the scope that the URL needs.
    package let narrow: String?

    package init(
        token: String, foreign: String? = nil, expired: String? = nil, identity: String? = nil,
        narrow: String? = nil
    ) {
        self.token = token
        self.foreign = foreign
        self.expired = expired
        self.identity = identity
        self.narrow = narrow
    }

    /// The options that name files with tokens.
    static let options: Set<String> = [
        "--token-file", "--foreign-token", "--expired-token", "--id-token", "--narrow-token",
    ]

    /// Whether the words or the environment have a token.
    static func areGiven(in words: CommandLineWords) -> Bool {
        options.contains { words.value(of: $0) != nil } || ofEnvironment != nil
    }

    private static var ofEnvironment: String? {
        guard let value = getenv(variable).map({ String(cString: $0) }), !value.isEmpty else { return nil }
        return value
    }

    /// Reads the files.
    ///
    /// - Throws: ``Misuse`` for a file that cannot be read or has no token, and for other tokens without a
    ///   good one.
    init(_ words: CommandLineWords) throws(Misuse) {
        let token =
            if let path = words.value(of: "--token-file") {
                try Self.read(path)
            } else if let value = Self.ofEnvironment {
                try Self.checked(value, from: Self.variable)
            } else {
                throw Misuse("the probes with tokens need a good one: --token-file or \(Self.variable)")
            } as String
        self.init(
            token: token, foreign: try Self.read("--foreign-token", words),
            expired: try Self.read("--expired-token", words), identity: try Self.read("--id-token", words),
            narrow: try Self.read("--narrow-token", words))
    }

    private static func read(_ option: String, _ words: CommandLineWords) throws(Misuse) -> String? {
        guard let path = words.value(of: option) else { return nil }
        return try read(path)
    }

    private static func read(_ path: String) throws(Misuse) -> String {
        let bytes: [UInt8]
        do throws(InputFile.Unreadable) {
            bytes = try InputFile.contents(of: path, maxByteCount: maximumByteCount)
        } catch {
            throw Misuse("the file \(path) \(error.message)")
        }
        return try checked(String(decoding: bytes, as: UTF8.self), from: "the file \(path)")
    }

    /// The token without blanks around it.
    ///
    /// RFC 6750 §2.1.
    private static func checked(_ text: String, from place: String) throws(Misuse) -> String {
        let isBlank: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let bytes = text.utf8.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        let others = Array("-._~+/=".utf8)
        guard !bytes.isEmpty,
            bytes.allSatisfy({
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || others.contains($0)
            })
        else { throw Misuse("\(place) has no token, or more than one") }
        return String(decoding: Array(bytes), as: UTF8.self)
    }

    /// All tokens.
    var all: [String] { [token, foreign, expired, identity, narrow].compactMap { $0 } }

    /// No token.
    package var description: String { "CheckTokens(\(all.count))" }
    /// No members.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
