// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The addresses that a client may connect to.
///
/// Checks the resolved address that the client connects to, so DNS rebinding has no effect.
///
/// RFC 9728 §7.7.
public enum AddressPolicy: Sendable, Hashable {
    /// Any address.
    case any
    /// Addresses of the public Internet: no loopback, private, link-local, shared, documentation, multicast
    /// or reserved ones.
    ///
    /// Checks an IPv4 address embedded in an IPv6 address as IPv4. RFC 6890, RFC 4291 §2.4.
    case publicOnly

    /// Whether the client may connect to this address: the 4 or 16 bytes of IPv4 or IPv6.
    package func permits(_ address: [UInt8]) -> Bool {
        switch self {
        case .any: true
        case .publicOnly: Self.isPublic(address)
        }
    }

    func permits(_ address: ResolvedAddress) -> Bool {
        self == .any || address.bytes.map { permits($0) } ?? false
    }

    private static func isPublic(_ address: [UInt8]) -> Bool {
        switch address.count {
        case 4: isPublicIPv4(address)
        case 16: isPublicIPv6(address)
        default: false
        }
    }

    /// The special-purpose blocks of IPv4: prefix and prefix length.
    ///
    /// RFC 6890 §2.2.2 and the registry that it created.
    private static let specialIPv4: [(prefix: [UInt8], bitCount: Int)] = [
        ([0, 0, 0, 0], 8), ([10, 0, 0, 0], 8), ([100, 64, 0, 0], 10), ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16), ([172, 16, 0, 0], 12), ([192, 0, 0, 0], 24), ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24), ([192, 168, 0, 0], 16), ([198, 18, 0, 0], 15), ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24), ([224, 0, 0, 0], 3),
    ]

    /// The blocks within 2000::/3 that are not public hosts: protocol assignments, documentation, 6to4.
    private static let specialIPv6: [(prefix: [UInt8], bitCount: Int)] = [
        ([0x20, 0x01, 0, 0], 23), ([0x20, 0x01, 0x0D, 0xB8], 32), ([0x20, 0x02, 0, 0], 16),
        ([0x3F, 0xFF, 0, 0], 20),
    ]

    private static func isPublicIPv4(_ address: [UInt8]) -> Bool {
        !specialIPv4.contains { begins(address, $0.prefix, $0.bitCount) }
    }

    private static func isPublicIPv6(_ address: [UInt8]) -> Bool {
        let zeros = [UInt8](repeating: 0, count: 16)
        // RFC 4291 §2.5.5.2 (::ffff:0:0/96), RFC 6052 §2.1 (64:ff9b::/96): check the embedded address.
        let mapped = zeros[..<10] + [0xFF, 0xFF]
        let translated = [0x00, 0x64, 0xFF, 0x9B] + zeros[..<8]
        if address.starts(with: mapped) || address.starts(with: translated) {
            return isPublicIPv4(Array(address[12...]))
        }
        // RFC 4291 §2.4, RFC 3587 §3: the global unicast addresses allocated so far.
        return begins(address, [0x20], 3) && !specialIPv6.contains { begins(address, $0.prefix, $0.bitCount) }
    }

    private static func begins(_ address: [UInt8], _ prefix: [UInt8], _ bitCount: Int) -> Bool {
        for (index, byte) in prefix.enumerated() {
            let bits = min(8, max(0, bitCount - index * 8))
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
            if address[index] & mask != byte & mask { return false }
        }
        return true
    }
}

extension ResolvedAddress {
    /// The 4 or 16 bytes of the address, or `nil` if it is neither IPv4 nor IPv6.
    var bytes: [UInt8]? {
        var storage = storage
        return withUnsafeBytes(of: &storage) { bytes in
            switch family {
            case AF_INET:
                var address = bytes.loadUnaligned(as: sockaddr_in.self).sin_addr
                return withUnsafeBytes(of: &address) { Array($0) }
            case AF_INET6:
                var address = bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr
                return withUnsafeBytes(of: &address) { Array($0) }
            default:
                return nil
            }
        }
    }
}
