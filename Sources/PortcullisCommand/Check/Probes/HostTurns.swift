// SPDX-License-Identifier: MIT

import Portcullis

/// Lets one request at a time through to each host, in the order of their arrival.
actor HostTurns {
    private var busy: Set<String> = []
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    /// The scheme, address and port of a URL, or the whole text if it is not a URL.
    static func host(of url: String) -> String {
        guard let parsed = try? HTTPURL(url) else { return url }
        return "\(parsed.scheme)://\(parsed.host):\(parsed.port)"
    }

    /// Waits for the host's turn; the caller gives it back with ``giveBack(_:)``.
    func take(_ host: String) async {
        if busy.insert(host).inserted { return }
        await withCheckedContinuation { waiting[host, default: []].append($0) }
    }

    /// Lets the next request through.
    func giveBack(_ host: String) {
        guard var queue = waiting[host] else {
            busy.remove(host)
            return
        }
        let next = queue.removeFirst()
        waiting[host] = queue.isEmpty ? nil : queue
        next.resume()
    }
}
