// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import Synchronization

/// Detects that requests keep naming a host without a resource, usually because a proxy replaces `Host`.
///
/// Costs one comparison of bytes for a host that needs no more counting. Stores a bounded number of hosts,
/// because clients can invent them.
struct HostWatch {
    /// The number of requests for one host that causes a warning.
    static let threshold = 20
    private static let maxHostCount = 8
    private static let maxHostByteCount = 255

    private struct Seen {
        let host: [UInt8]
        var count: Int
        /// Whether the host needs no more counting: it has a resource, or was reported.
        var isSettled: Bool
    }

    private var seen: [Seen] = []
    /// The host of the last request if it needs no counting; otherwise empty.
    private var settled: [UInt8] = []

    /// Forgets all hosts, because the resources have changed.
    mutating func reset() { self = HostWatch() }

    /// Counts a request, and returns whether to report its host now.
    @inline(__always)
    mutating func notices(_ bytes: [UInt8], _ range: Range<Int>, isKnown: (String) -> Bool) -> Bool {
        if range.count == settled.count, Self.equal(bytes, range, settled) { return false }
        let isDue = lookUp(bytes, range, isKnown)
        settled = seen.first.flatMap { $0.isSettled ? $0.host : nil } ?? []
        return isDue
    }

    @inline(__always)
    private static func equal(_ bytes: [UInt8], _ range: Range<Int>, _ host: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            host.withUnsafeBytes {
                $0.count == range.count
                    && ByteOrder.compare(UnsafeRawBufferPointer(rebasing: bytes[range]), $0) == 0
            }
        }
    }

    /// Counts a request whose host is not the settled first one.
    private mutating func lookUp(_ bytes: [UInt8], _ range: Range<Int>, _ isKnown: (String) -> Bool) -> Bool {
        guard range.count <= Self.maxHostByteCount else { return false }
        guard let index = seen.firstIndex(where: { Self.equal(bytes, range, $0.host) }) else {
            let host = Array(bytes[range])
            let text = String(decoding: host.map(CharacterClass.lowercase), as: UTF8.self)
            // A host that can't be logged needs no counting. The host seen least often is evicted.
            let isSettled = isKnown(text) || !host.allSatisfy(Self.isLoggable)
            if seen.count == Self.maxHostCount { removeLeastSeen() }
            seen.insert(Seen(host: host, count: 1, isSettled: isSettled), at: 0)
            return false
        }
        seen[index].count += 1
        let isDue = !seen[index].isSettled && seen[index].count >= Self.threshold
        if isDue { seen[index].isSettled = true }
        seen.swapAt(0, index)
        return isDue
    }

    private mutating func removeLeastSeen() {
        guard let least = seen.indices.min(by: { seen[$0].count < seen[$1].count }) else { return }
        seen.remove(at: least)
    }

    /// Whether a host in the log may contain the byte: no quotes, spaces or other punctuation.
    private static func isLoggable(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F: true
        default: false
        }
    }
}

extension LoopContext {
    /// Warns, once for each host and server, that requests name a host without a resource.
    func watchHost(_ bytes: [UInt8], _ range: Range<Int>) {
        guard watchesHosts else { return }
        guard hostWatch.notices(bytes, range, isKnown: { self.table.knows(authority: $0) }) else { return }
        core.warnAboutHost(
            String(decoding: bytes[range], as: UTF8.self).lowercased(), authorities: table.authorities)
    }
}

extension ServerCore {
    /// The maximum number of reported hosts.
    private static let maxReportedHostCount = 16

    func warnAboutHost(_ host: String, authorities: [String]) {
        let isNew = toldHosts.withLock { hosts in
            guard hosts.count < Self.maxReportedHostCount, !hosts.contains(host) else { return false }
            hosts.append(host)
            return true
        }
        guard isNew else { return }
        log(
            .warning(
                "requests keep naming the host \(host), which has no resource; the resources are at "
                    + authorities.prefix(4).joined(separator: ", ")
                    + ". If a proxy replaces Host, let it forward the client's Host (nginx: proxy_set_header "
                    + "Host $http_host); or let it send Forwarded or X-Forwarded-Host, add it to "
                    + "trusted_proxies, and set forwarded to that family. If clients really use \(host), use "
                    + "it in the resource identifiers.",
                ["host": host]))
    }
}
