// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import Synchronization

/// Notices that requests keep naming a host at which no resource is, which mostly means a proxy that replaces it.
///
/// Costs a comparison of bytes where the host is one that was settled before. Keeps a bounded number of hosts, since anybody can
/// invent them.
struct HostWatch {
    /// From this many requests with one host on it is told.
    static let threshold = 20
    private static let maxHostCount = 8
    private static let maxHostByteCount = 255

    private struct Seen {
        let host: [UInt8]
        var count: Int
        /// Nothing more is to be found out of it: it is a resource's, or was told.
        var isSettled: Bool
    }

    private var seen: [Seen] = []

    /// Forgets what was found, since the resources are other ones now.
    mutating func reset() { seen = [] }

    /// Whether the host is to be told now.
    @inline(__always)
    mutating func notices(_ bytes: [UInt8], _ range: Range<Int>, isKnown: (String) -> Bool) -> Bool {
        if let last = seen.first, last.isSettled, Self.equal(bytes, range, last.host) { return false }
        return looksUp(bytes, range, isKnown)
    }

    @inline(__always)
    private static func equal(_ bytes: [UInt8], _ range: Range<Int>, _ host: [UInt8]) -> Bool {
        guard range.count == host.count else { return false }
        return bytes.withUnsafeBytes { bytes in
            host.withUnsafeBytes {
                ByteOrder.compare(UnsafeRawBufferPointer(rebasing: bytes[range]), $0) == 0
            }
        }
    }

    private mutating func looksUp(_ bytes: [UInt8], _ range: Range<Int>, _ isKnown: (String) -> Bool) -> Bool
    {
        guard range.count <= Self.maxHostByteCount else { return false }
        guard let index = seen.firstIndex(where: { Self.equal(bytes, range, $0.host) }) else {
            let host = Array(bytes[range])
            let text = String(decoding: host.map(CharacterClass.lowercase), as: UTF8.self)
            // What can't be told needs no counting; one that was seen least makes room.
            let isSettled = isKnown(text) || !host.allSatisfy(Self.isTellable)
            if seen.count == Self.maxHostCount { removeLeastSeen() }
            seen.insert(Seen(host: host, count: 1, isSettled: isSettled), at: 0)
            return false
        }
        seen[index].count += 1
        let tells = !seen[index].isSettled && seen[index].count >= Self.threshold
        if tells { seen[index].isSettled = true }
        seen.swapAt(0, index)
        return tells
    }

    private mutating func removeLeastSeen() {
        guard let least = seen.indices.min(by: { seen[$0].count < seen[$1].count }) else { return }
        seen.remove(at: least)
    }

    /// What a host in a log is made of: nothing that needs quotes, and nothing that could be taken for a sentence.
    private static func isTellable(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F: true
        default: false
        }
    }
}

extension LoopContext {
    /// Has the operator told, once for each host and server, that requests are for another one than the resources'.
    func watchHost(_ bytes: [UInt8], _ range: Range<Int>) {
        guard !table.resources.isEmpty else { return }
        guard hostWatch.notices(bytes, range, isKnown: { self.table.knows(authority: $0) }) else { return }
        core.tellOfHost(
            String(decoding: bytes[range], as: UTF8.self).lowercased(), authorities: table.authorities)
    }
}

extension ServerCore {
    /// How many hosts are told of at most.
    private static let maxToldHostCount = 16

    func tellOfHost(_ host: String, authorities: [String]) {
        let isNew = toldHosts.withLock { hosts in
            guard hosts.count < Self.maxToldHostCount, !hosts.contains(host) else { return false }
            hosts.append(host)
            return true
        }
        guard isNew else { return }
        log(
            "warning: requests keep naming the host \(host), at which there is no resource; the resources are at "
                + authorities.prefix(4).joined(separator: ", ")
                + ". A proxy that replaces Host should pass on the client's (in nginx: proxy_set_header Host $host), or send "
                + "Forwarded or X-Forwarded-Host and be named in trusted_proxies, with its family in forwarded. If clients do use "
                + "\(host), the resource identifiers should name it.")
    }
}
