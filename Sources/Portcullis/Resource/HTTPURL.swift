// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// A parsed absolute `http` or `https` URL.
///
/// Contains normalised parts for comparison; the caller keeps the original text.
///
/// RFC 3986 §3, §6.2.2, RFC 9110 §4.2.
package struct HTTPURL: Sendable, Hashable {
    /// `http` or `https`.
    package let scheme: String
    /// The host in lower case; an IPv6 address in brackets, in its eight-group form.
    package let host: String
    /// The port, the scheme's default if none is written.
    package let port: Int
    /// The path with its percent-encoding normalised: empty, or beginning with a slash.
    package let path: String
    /// The query with its percent-encoding normalised, without the question mark, or `nil`.
    package let query: String?
    /// Whether there is a fragment, even an empty one.
    package let hasFragment: Bool
    /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
    package let isLoopback: Bool
    /// The number of bytes before the path.
    package let authorityEnd: Int

    package var isSecure: Bool { scheme == "https" }

    /// The reason that a text is not such a URL.
    package enum Malformation: Error, Sendable, Hashable {
        case notHTTP, userInformation, host, port, character, percentEncoding

        /// The rule that the text breaks.
        package var sentence: String {
            switch self {
            case .notHTTP: "It must be an absolute URL that begins with https:// (RFC 3986 §4.3)."
            case .userInformation: "It must not contain a user name or password (RFC 9110 §4.2.4)."
            case .host:
                "Its host must be a name, an IPv4 address or an IPv6 address in brackets (RFC 3986 §3.2.2)."
            case .port: "Its port must be a number from 1 to 65535 (RFC 3986 §3.2.3)."
            case .character:
                "It must contain only URL characters; percent-encode any others (RFC 3986 §2)."
            case .percentEncoding:
                "Each percent sign must be followed by two hexadecimal digits (RFC 3986 §2.1)."
            }
        }
    }

    package init(_ text: String) throws(Malformation) {
        let bytes = Array(text.utf8)
        let (scheme, start) = try Self.scheme(bytes)
        guard bytes.allSatisfy({ CharacterClass.isTargetCharacter($0) || Self.isBracketOrHash($0) }) else {
            throw .character
        }
        let end = bytes[start...].firstIndex { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 } ?? bytes.endIndex
        let authority = try Authority(bytes[start..<end])
        let fragment = bytes[end...].firstIndex(of: 0x23)
        let rest = bytes[end..<(fragment ?? bytes.endIndex)]
        guard !rest.contains(where: { $0 == 0x5B || $0 == 0x5D }) else { throw .character }
        let question = rest.firstIndex(of: 0x3F)
        self.scheme = scheme
        host = authority.host
        isLoopback = authority.isLoopback
        port = authority.port ?? (scheme == "https" ? 443 : 80)
        path = try Self.normalised(rest[..<(question ?? rest.endIndex)])
        if let question { query = try Self.normalised(rest[(question + 1)...]) } else { query = nil }
        hasFragment = fragment != nil
        authorityEnd = end
    }

    /// Whether the text of this URL names the port that its scheme has anyway.
    ///
    /// RFC 3986 §6.2.3.
    package func writesDefaultPort(in text: String) -> Bool {
        let authority = text.utf8.prefix(authorityEnd)
        guard port == (isSecure ? 443 : 80) else { return false }
        let rest = authority.reversed().drop(while: CharacterClass.isDigit)
        // Behind the scheme's own colon there are slashes, not digits.
        return rest.first == 0x3A && rest.count < authority.count
    }

    private static func isBracketOrHash(_ byte: UInt8) -> Bool {
        byte == 0x23 || byte == 0x5B || byte == 0x5D
    }

    private static func scheme(_ bytes: [UInt8]) throws(Malformation) -> (String, Int) {
        for scheme in ["https", "http"] {
            let prefix = Array("\(scheme)://".utf8)
            if bytes.count > prefix.count,
                zip(bytes, prefix).allSatisfy({ CharacterClass.lowercase($0) == $1 })
            {
                return (scheme, prefix.count)
            }
        }
        throw .notHTTP
    }

    /// Decodes unreserved characters and writes the digits of other percent-encodings in upper case.
    ///
    /// RFC 3986 §6.2.2.1, §6.2.2.2.
    package static func normalised(_ bytes: some Collection<UInt8>) throws(Malformation) -> String {
        // Most paths have no percent sign, and are normalised.
        let plain = bytes.withContiguousStorageIfAvailable { bytes in
            bytes.contains(0x25) ? nil : String(decoding: bytes, as: UTF8.self)
        }
        if let plain, let plain { return plain }
        return try decodingUnreserved(Array(bytes))
    }

    private static func decodingUnreserved(_ bytes: [UInt8]) throws(Malformation) -> String {
        var output: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                output.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(CharacterClass.hexadecimalValue),
                let low = rest.popFirst().flatMap(CharacterClass.hexadecimalValue)
            else { throw .percentEncoding }
            let decoded = high << 4 | low
            if isUnreserved(decoded) {
                output.append(decoded)
            } else {
                let digits = Array("0123456789ABCDEF".utf8)
                output += [0x25, digits[Int(high)], digits[Int(low)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }
}

extension HTTPURL.Malformation: CustomStringConvertible {
    /// The rule that the text breaks.
    package var description: String { sentence }
}

extension HTTPURL {
    /// Whether both URLs have the same origin: scheme, host and port.
    ///
    /// RFC 6454 §5.
    package func hasOrigin(of other: HTTPURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// Returns the scheme and the authority as written in the text of this URL.
    package func origin(of text: String) -> String {
        String(decoding: text.utf8.prefix(authorityEnd), as: UTF8.self)
    }
}
