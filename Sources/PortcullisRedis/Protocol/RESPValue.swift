// SPDX-License-Identifier: MIT

/// One value of the serialization protocol, version 2.
package enum RESPValue: Sendable, Hashable {
    case text([UInt8])
    case error([UInt8])
    case integer(Int64)
    case bytes([UInt8])
    case array([RESPValue])
    /// Neither bytes nor an array: there is no such thing.
    case null

    /// The bytes of a string of either kind.
    package var payload: [UInt8]? {
        switch self {
        case .text(let bytes), .bytes(let bytes): bytes
        default: nil
        }
    }

    /// Whether this is the word with which commands succeed.
    var isOK: Bool { self == .text(Array("OK".utf8)) }

    /// Whether this is an error that begins with a word.
    func isError(_ word: String) -> Bool {
        if case .error(let text) = self { text.starts(with: word.utf8) } else { false }
    }
}

/// A command: words of any bytes.
enum RESPCommand {
    /// The bytes of a command, as they are sent.
    static func encode(_ words: [[UInt8]]) -> [UInt8] {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words {
            bytes += Array("$\(word.count)\r\n".utf8)
            bytes += word
            bytes += [0x0D, 0x0A]
        }
        return bytes
    }
}
