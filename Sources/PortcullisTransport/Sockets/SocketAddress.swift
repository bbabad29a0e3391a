// SPDX-License-Identifier: MIT

package import CPlatform
package import PortcullisHTTP

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The address of one end of a connection: IPv4 or IPv6, with its port, or a Unix domain socket.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    private enum Storage: Sendable, Hashable {
        case ipv4(UInt32, UInt16)
        case ipv6([UInt8], scope: UInt32, UInt16)
        case unix(path: String)
        case unknown
    }

    private let storage: Storage

    package init(_ address: cplatform_sockaddr_storage) {
        var address = address
        let family = Int32(address.ss_family)
        storage = withUnsafeBytes(of: &address) { bytes -> Storage in
            switch family {
            case AF_INET:
                let v4 = bytes.loadUnaligned(as: sockaddr_in.self)
                return .ipv4(UInt32(bigEndian: v4.sin_addr.s_addr), UInt16(bigEndian: v4.sin_port))
            case AF_INET6:
                var v6 = bytes.loadUnaligned(as: sockaddr_in6.self)
                let host = withUnsafeBytes(of: &v6.sin6_addr) { Array($0) }
                return .ipv6(host, scope: v6.sin6_scope_id, UInt16(bigEndian: v6.sin6_port))
            case AF_UNIX:
                // The connecting end usually has no path, and an abstract name begins with NUL.
                let path = bytes.dropFirst(MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2)
                    .prefix(MemoryLayout.size(ofValue: sockaddr_un().sun_path)).prefix { $0 != 0 }
                return .unix(path: String(decoding: path, as: UTF8.self))
            default:
                return .unknown
            }
        }
    }

    /// Makes an address from what a proxy sent.
    package init(_ address: IPAddress, port: UInt16) {
        if address.isIPv4 {
            storage = .ipv4(UInt32(truncatingIfNeeded: address.low), port)
        } else {
            let bytes = [address.high, address.low].flatMap { half in
                (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - $0 * 8)) }
            }
            storage = .ipv6(bytes, scope: 0, port)
        }
    }

    /// The address without its port; `nil` for a Unix domain socket.
    package var ipAddress: IPAddress? {
        switch storage {
        case .ipv4(let host, _): IPAddress(ipv4: host)
        case .ipv6(let host, scope: _, _): IPAddress(ipv6: host)
        case .unix, .unknown: nil
        }
    }

    /// Whether this is a Unix domain socket.
    public var isUnix: Bool { if case .unix = storage { true } else { false } }

    /// The port; zero if there is none.
    public var port: Int {
        switch storage {
        case .ipv4(_, let port), .ipv6(_, scope: _, let port): Int(port)
        case .unix, .unknown: 0
        }
    }

    /// The address as text, IPv6 without brackets; for a Unix domain socket `unix:` and the path, if any.
    public var host: String {
        switch storage {
        case .ipv4(let host, _):
            "\(host >> 24).\(host >> 16 & 255).\(host >> 8 & 255).\(host & 255)"
        case .ipv6(let host, scope: _, _):
            Self.text(ofIPv6: host)
        case .unix(let path):
            "unix:" + path
        case .unknown:
            "unknown"
        }
    }

    /// Appends ``host``, without a string for IPv4.
    package func appendHost(to output: inout [UInt8]) {
        guard case .ipv4(let host, _) = storage else { return output.append(contentsOf: self.host.utf8) }
        for shift in [24, 16, 8, 0] as [UInt32] {
            output.append(decimal: Int(host >> shift & 255))
            if shift > 0 { output.append(0x2E) }
        }
    }

    /// Whether this is a loopback address: 127.0.0.0/8 or ::1.
    public var isLoopback: Bool {
        switch storage {
        case .ipv4(let host, _): host >> 24 == 127
        case .ipv6(let host, scope: _, _): host == [UInt8](repeating: 0, count: 15) + [1]
        case .unix, .unknown: false
        }
    }

    /// The host and port, as in a URL; for a Unix domain socket `unix:` and the path.
    public var description: String {
        if case .ipv6 = storage { return "[\(host)]:\(port)" }
        if isUnix { return host }
        return "\(host):\(port)"
    }

    private static func text(ofIPv6 host: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = host.withUnsafeBytes { inet_ntop(AF_INET6, $0.baseAddress, &text, socklen_t(text.count)) }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The valid ports; 0 means any free port.
    package static let ports = 0...65_535

    /// The addresses of a host name or of a literal address, for TCP.
    ///
    /// Blocks on the system's resolver. A port outside 0 to 65535 is an error: resolvers would take it modulo
    /// 65536.
    package static func resolve(
        host: String, port: Int, passive: Bool = false
    ) throws(SocketError) -> [ResolvedAddress] {
        guard ports.contains(port) else { throw .noSuchPort }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = (passive ? AI_PASSIVE : 0) | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw SocketError(call: .resolve, code: code) }
        defer { freeaddrinfo(list) }
        var addresses: [ResolvedAddress] = []
        var entry = list
        while let info = entry?.pointee {
            if let address = ResolvedAddress(info) { addresses.append(address) }
            entry = info.ai_next
        }
        return addresses
    }
}

/// An address in the form that system calls need.
package struct ResolvedAddress: Sendable {
    package let family: Int32
    package let storage: cplatform_sockaddr_storage
    package let length: cplatform_socklen

    init?(_ info: addrinfo) {
        guard let address = info.ai_addr, Int(info.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size else {
            return nil
        }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))
        }
        family = info.ai_family
        self.storage = storage
        length = info.ai_addrlen
    }

    init(storage: sockaddr_storage, length: socklen_t) {
        family = Int32(storage.ss_family)
        self.storage = storage
        self.length = length
    }

    // SAFETY: a `sockaddr_storage` may be read as the address in it, and the pointer does not escape.
    package func withSockAddr<Result>(
        _ body: (UnsafePointer<cplatform_sockaddr>, cplatform_socklen) -> Result
    ) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
