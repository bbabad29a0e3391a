// SPDX-License-Identifier: MIT

/// The order of a scan: as given, but one target of each host at a time if the scan is polite.
struct TargetQueue {
    private var waiting: [String: [Int]] = [:]
    /// The hosts with a target that may start, in order.
    private var ready: [String] = []
    private var readyStart = 0

    /// Creates a queue of the targets with these hosts.
    init(hosts: [String], indices: [Int], isPolite: Bool) {
        for index in indices {
            // Without politeness every target is a host of its own.
            let host = isPolite ? hosts[index] : "\(index)"
            if waiting[host] == nil { ready.append(host) }
            waiting[host, default: []].append(index)
        }
        for host in ready { waiting[host]?.reverse() }
    }

    /// Takes the next target and its host, or `nil` if every remaining one has to wait for its host.
    mutating func next() -> (index: Int, host: String)? {
        guard readyStart < ready.count else { return nil }
        let host = ready[readyStart]
        readyStart += 1
        guard let index = waiting[host]?.popLast() else { return nil }
        return (index, host)
    }

    /// Lets the next target of a host start.
    mutating func finish(_ host: String) {
        if waiting[host]?.isEmpty == false { ready.append(host) } else { waiting[host] = nil }
    }
}
