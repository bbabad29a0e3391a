// SPDX-License-Identifier: MIT

/// The header that a proxy sends at the start of a connection: it names the client.
///
/// PROXY protocol, versions 1 and 2.
package enum ProxyHeader: Sendable, Hashable {
    /// The connection is the proxy's own, such as a health check, or the proxy doesn't name the client.
    case local
    /// The connection comes from this client.
    case client(IPAddress, port: UInt16)

    /// The longest header accepted: version 2 may carry a few hundred bytes of extensions.
    package static let maxByteCount = 2048

    /// The connection does not begin with a valid header.
    package struct Malformed: Error, Hashable {
        package init() {}
    }

    /// Parses a header from the first bytes of a connection.
    ///
    /// Stateless: call it again with all bytes when more have arrived. Throws at the first wrong byte.
    ///
    /// - Returns: The header and its length, or `nil` while it is not complete.
    package static func parse(
        _ bytes: ArraySlice<UInt8>
    ) throws(Malformed) -> (header: ProxyHeader, byteCount: Int)? {
        guard let first = bytes.first else { return nil }
        return first == signature1[0] ? try ProxyHeader1.parse(bytes) : try ProxyHeader2.parse(bytes)
    }

    fileprivate static let signature1 = Array("PROXY ".utf8)

    /// Throws if `bytes` and `start` differ within their common length.
    fileprivate static func check(_ bytes: ArraySlice<UInt8>, _ start: [UInt8]) throws(Malformed) {
        guard zip(bytes, start).allSatisfy({ $0 == $1 }) else { throw Malformed() }
    }
}

/// Version 1: a line of text.
private enum ProxyHeader1 {
    /// The longest line, with its end.
    private static let maxByteCount = 107

    static func parse(
        _ bytes: ArraySlice<UInt8>
    ) throws(ProxyHeader.Malformed) -> (header: ProxyHeader, byteCount: Int)? {
        try ProxyHeader.check(bytes, ProxyHeader.signature1)
        let line = bytes.prefix(maxByteCount)
        guard let feed = line.firstIndex(of: 0x0A) else {
            // CR must be followed by LF, and only printable ASCII may come before it.
            let body = line.last == 0x0D ? line.dropLast() : line
            guard line.count < maxByteCount, body.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw ProxyHeader.Malformed()
            }
            return nil
        }
        guard feed > line.startIndex, line[feed - 1] == 0x0D else { throw ProxyHeader.Malformed() }
        let text = line[..<(feed - 1)]
        guard text.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw ProxyHeader.Malformed() }
        return (try header(text.dropFirst(ProxyHeader.signature1.count)), feed + 1 - line.startIndex)
    }

    private static func header(_ text: ArraySlice<UInt8>) throws(ProxyHeader.Malformed) -> ProxyHeader {
        let words = text.split(separator: 0x20, omittingEmptySubsequences: false)
        // The receiver must ignore the rest of the line after UNKNOWN.
        if words.first?.elementsEqual("UNKNOWN".utf8) == true { return .local }
        guard words.count == 5, let source = IPAddress(words[1]), let destination = IPAddress(words[2]),
            let port = port(words[3]), self.port(words[4]) != nil
        else { throw ProxyHeader.Malformed() }
        let isIPv6 = words[0].elementsEqual("TCP6".utf8)
        guard isIPv6 || words[0].elementsEqual("TCP4".utf8), words[1].contains(0x3A) == isIPv6,
            words[2].contains(0x3A) == isIPv6
        else { throw ProxyHeader.Malformed() }
        _ = destination
        return .client(source, port: port)
    }

    private static func port(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...5).contains(digits.count), digits.allSatisfy(CharacterClass.isDigit),
            digits.count == 1 || digits.first != 0x30
        else { return nil }
        return UInt16(exactly: digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }
}

/// Version 2: binary.
private enum ProxyHeader2 {
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    private static let fixedByteCount = 16

    static func parse(
        _ bytes: ArraySlice<UInt8>
    ) throws(ProxyHeader.Malformed) -> (header: ProxyHeader, byteCount: Int)? {
        try ProxyHeader.check(bytes, signature)
        let start = bytes.startIndex
        if bytes.count > 12 {
            // Version 2 with the command LOCAL or PROXY.
            guard bytes[start + 12] == 0x20 || bytes[start + 12] == 0x21 else {
                throw ProxyHeader.Malformed()
            }
        }
        guard bytes.count >= fixedByteCount else { return nil }
        let length = Int(bytes[start + 14]) << 8 | Int(bytes[start + 15])
        guard length <= ProxyHeader.maxByteCount - fixedByteCount else { throw ProxyHeader.Malformed() }
        let byteCount = fixedByteCount + length
        // The family gives the length of the addresses before they have arrived.
        let header = try parse(
            isLocal: bytes[start + 12] == 0x20, family: bytes[start + 13],
            bytes[(start + fixedByteCount)...].prefix(length), length)
        guard bytes.count >= byteCount, let header else { return nil }
        return (header, byteCount)
    }

    /// Returns `nil` while the content is not complete.
    private static func parse(
        isLocal: Bool, family: UInt8, _ content: ArraySlice<UInt8>, _ length: Int
    ) throws(ProxyHeader.Malformed) -> ProxyHeader? {
        // The receiver of LOCAL ignores the family and the content, but skips the content's length.
        guard !isLocal else { return content.count == length ? .local : nil }
        let addressByteCount: Int
        switch family {
        case 0x00: addressByteCount = 0
        case 0x11: addressByteCount = 12
        case 0x21: addressByteCount = 36
        case 0x31: addressByteCount = 216
        // Datagrams and unassigned families.
        default: throw ProxyHeader.Malformed()
        }
        guard length >= addressByteCount else { throw ProxyHeader.Malformed() }
        guard content.count == length else { return nil }
        // Any content may follow an unspecified family.
        if family != 0 { try checkExtensions(content.dropFirst(addressByteCount)) }
        let start = content.startIndex
        switch family {
        case 0x11:
            let address = content.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
            return .client(IPAddress(ipv4: address), port: port(content, at: start + 8))
        case 0x21:
            guard let address = IPAddress(ipv6: content.prefix(16)) else { throw ProxyHeader.Malformed() }
            return .client(address, port: port(content, at: start + 32))
        default:
            return .local
        }
    }

    private static func port(_ content: ArraySlice<UInt8>, at index: Int) -> UInt16 {
        UInt16(content[index]) << 8 | UInt16(content[index + 1])
    }

    /// Checks that each extension is a type, a length of two bytes, and that many bytes.
    private static func checkExtensions(_ bytes: ArraySlice<UInt8>) throws(ProxyHeader.Malformed) {
        var rest = bytes
        while !rest.isEmpty {
            guard rest.count >= 3 else { throw ProxyHeader.Malformed() }
            let length = Int(rest[rest.startIndex + 1]) << 8 | Int(rest[rest.startIndex + 2])
            guard rest.count >= 3 + length else { throw ProxyHeader.Malformed() }
            rest = rest.dropFirst(3 + length)
        }
    }
}

extension ProxyHeader.Malformed: CustomStringConvertible {
    /// A phrase for a log.
    package var description: String { "the connection does not begin with a PROXY protocol header" }
}
