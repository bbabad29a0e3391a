// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// An HTTP proxy for the calls of a client: CONNECT for https, the absolute form for http.
///
/// The proxy is called without TLS. Its user name and password are sent to it alone, and appear in no
/// description.
///
/// RFC 9110 §9.3.6, RFC 9112 §3.2.2.
public struct OutboundProxy: Sendable, Hashable {
    let origin: Origin
    /// The value of `Proxy-Authorization`, or `nil`.
    let authorization: String?

    /// Why a text is not the URL of a proxy.
    public enum Malformation: Error, Sendable, Hashable, CustomStringConvertible {
        /// The scheme is not `http`: proxies over TLS and SOCKS are not supported.
        case scheme
        /// There is no host, or host or port are malformed.
        case authority
        /// There is more after the authority than one slash.
        case path
        /// The user name or password has malformed percent-encoding, or a control character.
        case credentials

        /// What is wrong, and what would be right.
        public var description: String {
            switch self {
            case .scheme: "must begin with http://; proxies over TLS and SOCKS are not supported"
            case .authority: "must have a host, and a port from 1 to 65535: http://proxy.example:3128"
            case .path: "must end after host and port: http://proxy.example:3128"
            case .credentials: "must have a percent-encoded user name and password without control characters"
            }
        }
    }

    /// Parses `http://host:port`, with `user:password@` before the host if the proxy wants them.
    ///
    /// The port defaults to 80. Does not contact the proxy.
    ///
    /// - Throws: ``Malformation``.
    public init(_ url: String) throws(Malformation) {
        let bytes = Array(url.utf8)
        guard bytes.prefix(7).map(CharacterClass.lowercase).elementsEqual("http://".utf8) else {
            throw .scheme
        }
        var rest = bytes[7...]
        if rest.last == 0x2F { rest = rest.dropLast() }
        let at = rest.lastIndex(of: 0x40)
        let authority = at.map { rest[($0 + 1)...] } ?? rest
        guard !authority.contains(where: { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 }) else { throw .path }
        guard let parsed = try? RequestURL("http://" + String(decoding: authority, as: UTF8.self)) else {
            throw .authority
        }
        origin = parsed.origin
        authorization = try at.map { (at) throws(Malformation) in try Self.basic(rest[..<at]) }
    }

    /// RFC 7617 §2: the user name ends at the first colon, before decoding.
    private static func basic(_ userInformation: ArraySlice<UInt8>) throws(Malformation) -> String {
        var decoded: [UInt8] = []
        var index = userInformation.startIndex
        while index < userInformation.endIndex {
            var byte = userInformation[index]
            index += 1
            if byte == 0x25 {
                guard index + 1 < userInformation.endIndex,
                    let high = CharacterClass.hexadecimalValue(userInformation[index]),
                    let low = CharacterClass.hexadecimalValue(userInformation[index + 1])
                else { throw .credentials }
                byte = high << 4 | low
                index += 2
            }
            guard byte > 0x20, byte != 0x7F else { throw .credentials }
            decoded.append(byte)
        }
        if !userInformation.contains(0x3A) { decoded.append(0x3A) }
        return "Basic " + Self.base64(decoded)
    }

    /// RFC 4648 §4.
    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var output: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let piece = bytes[start..<min(start + 3, bytes.count)]
            let bits = piece.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - piece.count))
            for place in 0..<4 {
                output.append(place <= piece.count ? alphabet[bits >> (18 - 6 * place) & 63] : 0x3D)
            }
            start += 3
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The request that makes the proxy connect to an origin.
    ///
    /// RFC 9110 §9.3.6.
    func connectRequest(to origin: Origin, userAgent: String?) -> [UInt8] {
        let host = origin.address?.count == 16 ? "[\(origin.host)]" : origin.host
        let authority = "\(host):\(origin.port)"
        var lines = ["CONNECT \(authority) HTTP/1.1", "Host: \(authority)"]
        if let userAgent { lines.append("User-Agent: \(userAgent)") }
        if let authorization { lines.append("Proxy-Authorization: \(authorization)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}

extension OutboundProxy: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Host and port; never user name and password.
    public var description: String { "\(origin.host):\(origin.port)" }
    /// Host and port.
    public var debugDescription: String { description }
    /// A mirror without children: the credentials are secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
