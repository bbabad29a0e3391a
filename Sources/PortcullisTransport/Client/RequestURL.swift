// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Scheme, host and port: requests with an equal origin may share a connection.
///
/// RFC 6454 §4.
package struct Origin: Sendable, Hashable {
    package let isEncrypted: Bool
    /// A DNS name in lower case, or an address without brackets.
    package let host: String
    package let port: Int
    /// The 4 or 16 bytes of the host if it is an address.
    package let address: [UInt8]?
    /// The path of a Unix domain socket, which is connected to instead of the host.
    package let unixPath: String?

    init(isEncrypted: Bool, host: String, port: Int, address: [UInt8]?) {
        self.isEncrypted = isEncrypted
        self.host = host
        self.port = port
        self.address = address
        unixPath = nil
    }

    /// Makes the origin of a server on a Unix domain socket; it speaks plain HTTP.
    ///
    /// Returns `nil` if the path is empty or longer than a socket's address may be.
    package init?(unixPath path: String) {
        guard !path.isEmpty, ResolvedAddress(unixPath: path) != nil else { return nil }
        isEncrypted = false
        host = ""
        port = 0
        address = nil
        unixPath = path
    }

    /// The identity that the server's certificate must have.
    package var serverIdentity: ServerIdentity {
        address.map { .address($0) } ?? .name(host)
    }
}

/// A parsed absolute URL.
///
/// Stricter than RFC 3986: ASCII without escapes in the host, no user information, no fragment, and no host
/// that looks like a number, because resolvers read `127.1` or `0x7f.1` as addresses.
package struct RequestURL: Sendable, Hashable {
    private static let maximumByteCount = 8192

    package let origin: Origin
    /// Path and query; at least a slash.
    package let target: String
    /// The authority for `Host`: without the scheme's default port.
    package let authority: String

    package init(_ text: String) throws(HTTPClientError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumByteCount, let (isEncrypted, start) = Self.scheme(of: bytes) else {
            throw .invalidURL
        }
        let rest = bytes[start...]
        let authority = rest.prefix { $0 != 0x2F && $0 != 0x3F && $0 != 0x23 }
        guard let (host, port) = Self.split(authority), let address = Self.address(of: host) else {
            throw .invalidURL
        }
        let target = rest[authority.endIndex...]
        guard target.allSatisfy(CharacterClass.isTargetCharacter) else { throw .invalidURL }
        let usualPort = isEncrypted ? 443 : 80
        let name = String(decoding: address.text, as: UTF8.self)
        origin = Origin(isEncrypted: isEncrypted, host: name, port: port ?? usualPort, address: address.bytes)
        self.target = (target.first == 0x2F ? "" : "/") + String(decoding: target, as: UTF8.self)
        let bracketed = address.bytes?.count == 16 ? "[\(name)]" : name
        self.authority = origin.port == usualPort ? bracketed : "\(bracketed):\(origin.port)"
    }

    private static func scheme(of bytes: [UInt8]) -> (isEncrypted: Bool, start: Int)? {
        let start = bytes.prefix(8).map(CharacterClass.lowercase)
        if start.starts(with: "https://".utf8) { return (true, 8) }
        if start.starts(with: "http://".utf8) { return (false, 7) }
        return nil
    }

    private static func split(_ authority: ArraySlice<UInt8>) -> (host: ArraySlice<UInt8>, port: Int?)? {
        var end = authority.endIndex
        if authority.first == 0x5B {
            guard let bracket = authority.firstIndex(of: 0x5D) else { return nil }
            end = bracket + 1
        } else if let colon = authority.firstIndex(of: 0x3A) {
            end = colon
        }
        let rest = authority[end...]
        guard !rest.isEmpty else { return (authority[..<end], nil) }
        let digits = rest.dropFirst()
        guard rest.first == 0x3A, (1...5).contains(digits.count), digits.allSatisfy(CharacterClass.isDigit)
        else {
            return nil
        }
        let port = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return (1...65535).contains(port) ? (authority[..<end], port) : nil
    }

    private static func address(of host: ArraySlice<UInt8>) -> (text: [UInt8], bytes: [UInt8]?)? {
        let text = host.map(CharacterClass.lowercase)
        if text.first == 0x5B {
            let inner = Array(text.dropFirst().dropLast())
            return parse(inner, AF_INET6, byteCount: 16).map { (inner, $0) }
        }
        if let bytes = parse(text, AF_INET, byteCount: 4) { return (text, bytes) }
        return isName(text) ? (text, nil) : nil
    }

    private static func parse(_ text: [UInt8], _ family: Int32, byteCount: Int) -> [UInt8]? {
        guard text.allSatisfy({ CharacterClass.hexadecimalValue($0) != nil || $0 == 0x3A || $0 == 0x2E })
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        return inet_pton(family, String(decoding: text, as: UTF8.self), &bytes) == 1 ? bytes : nil
    }

    /// Whether the text is letters, digits, hyphens and underscores between dots, within DNS lengths.
    ///
    /// RFC 1035 §2.3.4.
    private static func isName(_ text: [UInt8]) -> Bool {
        let labels = text.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard text.count <= 253, let last = labels.last, labels.allSatisfy(isLabel) else { return false }
        let isHexadecimal =
            last.starts(with: "0x".utf8)
            && last.dropFirst(2).allSatisfy { CharacterClass.hexadecimalValue($0) != nil }
        return !isHexadecimal && !last.allSatisfy(CharacterClass.isDigit)
    }

    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        (1...63).contains(label.count) && label.first != 0x2D && label.last != 0x2D
            && label.allSatisfy {
                CharacterClass.isDigit($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x5F
            }
    }
}
