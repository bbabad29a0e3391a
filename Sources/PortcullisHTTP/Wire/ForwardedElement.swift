// SPDX-License-Identifier: MIT

/// The sender of a request, as a proxy names it.
///
/// RFC 7239 §6.
package enum ForwardedNode: Sendable, Hashable {
    case address(IPAddress)
    /// A name that hides the address; begins with an underscore.
    case obfuscated(String)
    /// The proxy doesn't know.
    case unknown

    /// Parses the unquoted value of `for` or `by`: an address with an optional port, IPv6 in brackets.
    package init?(_ text: ArraySlice<UInt8>) {
        if text.first == 0x5B {
            guard let close = text.firstIndex(of: 0x5D), Self.isPort(text[(close + 1)...]),
                IPLiteral.isIPv6(text[(text.startIndex + 1)..<close]),
                let address = IPAddress(text[(text.startIndex + 1)..<close])
            else { return nil }
            self = .address(address)
        } else {
            let name = text.prefix { $0 != 0x3A }
            guard Self.isPort(text[name.endIndex...]) else { return nil }
            if name.first == 0x5F, name.count > 1, name.allSatisfy(Self.isObfuscated) {
                self = .obfuscated(String(decoding: name, as: UTF8.self))
            } else if Array(name).equalsIgnoringCase(0..<name.count, "unknown") {
                self = .unknown
            } else {
                guard IPLiteral.isIPv4(name), let address = IPAddress(name) else { return nil }
                self = .address(address)
            }
        }
    }

    /// Whether the text is empty or a colon and a port, which may be obfuscated.
    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard !text.isEmpty else { return true }
        let port = text.dropFirst()
        guard text.first == 0x3A, let first = port.first else { return false }
        if first == 0x5F { return port.count > 1 && port.allSatisfy(isObfuscated) }
        return port.count <= 5 && port.allSatisfy(CharacterClass.isDigit)
            && port.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 65_535
    }

    private static func isObfuscated(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}

/// What one proxy states about the connection on which it received a request.
///
/// RFC 7239 §4.
package struct ForwardedElement: Sendable, Hashable {
    /// The peer of the connection.
    package var sender: ForwardedNode?
    /// The `Host` that the proxy received.
    package var host: String?
    /// `http` or `https`.
    package var scheme: String?

    package init(sender: ForwardedNode? = nil, host: String? = nil, scheme: String? = nil) {
        self.sender = sender
        self.host = host
        self.scheme = scheme
    }

    /// The most hops that a request may name: 100, far more than real chains of proxies have.
    package static let maxCount = 100

    /// Reads every `Forwarded` field of a request, in order: the proxy nearest to the client first.
    ///
    /// Strict: at most ``maxCount`` elements, no parameter twice in an element, IPv6 in quotes and brackets,
    /// `host` an authority, `proto` http or https. Ignores unknown parameters, and empty elements and
    /// parameters, which the grammar allows. RFC 7239 §4, RFC 9110 §5.6.1.2.
    package static func all(in head: RequestHead) throws(MalformedMessage) -> [ForwardedElement] {
        var elements: [ForwardedElement] = []
        for slot in head.slots where head.matches(slot, forwarded) {
            var reader = ForwardedReader(head.bytes[slot.valueRange])
            try reader.readElements(to: &elements)
        }
        return elements
    }

    private static let forwarded: FieldName = "Forwarded"
}

/// Parses one `Forwarded` value.
private struct ForwardedReader {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    mutating func readElements(to elements: inout [ForwardedElement]) throws(MalformedMessage) {
        var count = elements.count
        while true {
            // Empty elements count too, so that they cost no more than others.
            guard count < ForwardedElement.maxCount else { throw .invalidForwarding }
            count += 1
            skipBlanks()
            if !isAtElementEnd { elements.append(try element()) }
            skipBlanks()
            guard index < bytes.endIndex else { return }
            guard take(0x2C) else { throw .invalidForwarding }
        }
    }

    private mutating func element() throws(MalformedMessage) -> ForwardedElement {
        var element = ForwardedElement()
        var names: Set<String> = []
        repeat {
            // RFC 7239 §4: the pairs between semicolons are optional.
            if isAtElementEnd { break }
            if bytes[index] == 0x3B { continue }
            let name = try token().lowercased()
            guard take(0x3D), names.insert(name).inserted else { throw .invalidForwarding }
            try element.set(name, try value())
        } while take(0x3B)
        return element
    }

    private var isAtElementEnd: Bool {
        index == bytes.endIndex || bytes[index] == 0x2C || FieldLine.isBlank(bytes[index])
    }

    private mutating func token() throws(MalformedMessage) -> String {
        let start = index
        while index < bytes.endIndex, CharacterClass.isTokenCharacter(bytes[index]) { index += 1 }
        guard index > start else { throw .invalidForwarding }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// A token or a quoted string.
    ///
    /// RFC 9110 §5.6.4.
    private mutating func value() throws(MalformedMessage) -> [UInt8] {
        guard take(0x22) else { return Array(try token().utf8) }
        var value: [UInt8] = []
        while index < bytes.endIndex {
            var byte = bytes[index]
            index += 1
            if byte == 0x22 { return value }
            if byte == 0x5C {
                guard index < bytes.endIndex else { break }
                byte = bytes[index]
                index += 1
            }
            value.append(byte)
        }
        throw .invalidForwarding
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.endIndex, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while index < bytes.endIndex, FieldLine.isBlank(bytes[index]) { index += 1 }
    }
}

extension ForwardedElement {
    fileprivate mutating func set(_ name: String, _ value: [UInt8]) throws(MalformedMessage) {
        switch name {
        case "for", "by":
            guard let node = ForwardedNode(value[...]) else { throw .invalidForwarding }
            if name == "for" { sender = node }
        case "host": host = try Self.host(value)
        case "proto": scheme = try Self.scheme(value)
        default: break
        }
    }

    /// A host with an optional port, as in `Host`, in lower case.
    package static func host(_ value: [UInt8]) throws(MalformedMessage) -> String {
        guard Authority(value, 0..<value.count) != nil else { throw .invalidForwarding }
        return String(decoding: value.map(CharacterClass.lowercase), as: UTF8.self)
    }

    package static func scheme(_ value: [UInt8]) throws(MalformedMessage) -> String {
        let all = 0..<value.count
        if value.equalsIgnoringCase(all, "https") { return "https" }
        guard value.equalsIgnoringCase(all, "http") else { throw .invalidForwarding }
        return "http"
    }
}
