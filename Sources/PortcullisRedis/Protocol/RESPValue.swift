// SPDX-License-Identifier: MIT

/// One value of RESP, the Redis serialization protocol, version 2.
package enum RESPValue: Sendable, Hashable {
    case text([UInt8])
    case error([UInt8])
    case integer(Int64)
    case bytes([UInt8])
    case array([RESPValue])
    /// A null bulk string or null array: there is no value.
    case null

    /// The bytes of a simple or bulk string, or `nil` for other values.
    package var payload: [UInt8]? {
        switch self {
        case .text(let bytes), .bytes(let bytes): bytes
        default: nil
        }
    }

    /// Whether this is the reply `OK`.
    var isOK: Bool { self == .text(Array("OK".utf8)) }

    /// Whether this is an error that starts with a word.
    func isError(_ word: String) -> Bool {
        if case .error(let text) = self { text.starts(with: word.utf8) } else { false }
    }
}

/// The encoding of commands: words of any bytes.
enum RESPCommand {
    /// Encodes a command for sending.
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
