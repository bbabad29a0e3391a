// SPDX-License-Identifier: MIT

/// An IPv4 or IPv6 address.
///
/// Stores an IPv4 address as an IPv4-mapped IPv6 address, so that a client has the same address on an IPv4
/// and on an IPv6 socket.
///
/// RFC 4291 §2.2, §2.5.5.2.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    /// `::ffff:0:0/96`.
    private static let mappedPrefix: UInt64 = 0xFFFF_0000_0000

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(ipv4 address: UInt32) {
        self.init(high: 0, low: Self.mappedPrefix | UInt64(address))
    }

    /// Makes an address from sixteen bytes.
    package init?(ipv6 bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
            low: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// Parses an address without brackets, zone or port.
    package init?(_ text: ArraySlice<UInt8>) {
        if IPLiteral.isIPv4(text) {
            self.init(ipv4: Self.number(ofIPv4: text))
        } else {
            guard IPLiteral.isIPv6(text) else { return nil }
            self.init(checkedIPv6: text)
        }
    }

    package init?(_ text: String) {
        self.init(Array(text.utf8)[...])
    }

    private static func number(ofIPv4 text: ArraySlice<UInt8>) -> UInt32 {
        text.split(separator: 0x2E).reduce(0) { number, part in
            number << 8 | part.reduce(0) { $0 * 10 + UInt32($1 - 0x30) }
        }
    }

    private init(checkedIPv6 text: ArraySlice<UInt8>) {
        var before: [UInt16] = []
        var after: [UInt16] = []
        var isCompressed = false
        let parts = text.split(separator: 0x3A, omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part.isEmpty {
                // A `::` at either end gives two empty parts, one in the middle gives one; each is one gap.
                if index > 0, index < parts.count - 1 { isCompressed = true }
                continue
            }
            let groups = part.contains(0x2E) ? Self.groups(ofIPv4: part) : [Self.group(part)]
            if isCompressed { after += groups } else { before += groups }
        }
        let gap = [UInt16](repeating: 0, count: max(0, 8 - before.count - after.count))
        let groups = before + gap + after
        self.init(
            high: groups.prefix(4).reduce(0) { $0 << 16 | UInt64($1) },
            low: groups.dropFirst(4).reduce(0) { $0 << 16 | UInt64($1) })
    }

    private static func groups(ofIPv4 text: ArraySlice<UInt8>) -> [UInt16] {
        let number = number(ofIPv4: text)
        return [UInt16(number >> 16), UInt16(truncatingIfNeeded: number)]
    }

    private static func group(_ digits: ArraySlice<UInt8>) -> UInt16 {
        digits.reduce(0) { $0 << 4 | UInt16(CharacterClass.hexadecimalValue($1) ?? 0) }
    }

    package var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// The address in its canonical spelling.
    ///
    /// RFC 5952 §4.
    package var description: String {
        if isIPv4 { return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)" }
        let groups = (0..<8).map { index in
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - index % 4 * 16))
        }
        let gap = Self.longestGap(groups)
        let hexadecimal: (ArraySlice<UInt16>) -> String = { part in
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard let gap else { return hexadecimal(groups[...]) }
        return hexadecimal(groups[..<gap.lowerBound]) + "::" + hexadecimal(groups[gap.upperBound...])
    }

    /// The first of the longest runs of zeros, if it has at least two.
    private static func longestGap(_ groups: [UInt16]) -> Range<Int>? {
        var longest: Range<Int>?
        var start = 0
        for index in 0...groups.count {
            guard index == groups.count || groups[index] != 0 else { continue }
            if index - start >= 2, index - start > longest?.count ?? 0 { longest = start..<index }
            start = index + 1
        }
        return longest
    }
}

/// All addresses with a common prefix: `192.0.2.0/24`.
///
/// RFC 4632 §3.1, RFC 4291 §2.3.
package struct IPNetwork: Sendable, Hashable {
    private let high: UInt64
    private let low: UInt64
    private let highMask: UInt64
    private let lowMask: UInt64
    /// Whether the text has bits set after its prefix; they are ignored.
    package let hasStrayBits: Bool

    /// Parses a network in CIDR notation, or a single address.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let slash = bytes.firstIndex(of: 0x2F) ?? bytes.endIndex
        guard let address = IPAddress(bytes[..<slash]) else { return nil }
        let width = bytes[..<slash].contains(0x3A) ? 128 : 32
        var length = width
        if slash < bytes.endIndex {
            let digits = bytes[(slash + 1)...]
            guard (1...3).contains(digits.count), digits.allSatisfy(CharacterClass.isDigit),
                digits.count == 1 || digits.first != 0x30
            else { return nil }
            length = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            guard length <= width else { return nil }
        }
        let bits = length + 128 - width
        highMask = Self.mask(min(bits, 64))
        lowMask = Self.mask(max(bits - 64, 0))
        high = address.high & highMask
        low = address.low & lowMask
        hasStrayBits = high != address.high || low != address.low
    }

    private static func mask(_ bits: Int) -> UInt64 { bits == 0 ? 0 : UInt64.max << UInt64(64 - bits) }

    package func contains(_ address: IPAddress) -> Bool {
        address.high & highMask == high && address.low & lowMask == low
    }
}
