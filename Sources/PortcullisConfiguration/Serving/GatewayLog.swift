// SPDX-License-Identifier: MIT

package import PortcullisServer
package import PortcullisTransport
import Synchronization

/// Writes the events of gateways to a log, each at most once a minute.
///
/// Every request to a server that cannot be reached makes an event, and clients choose how many they send.
package final class GatewayLog: Sendable {
    package static let interval = Duration.seconds(60)
    /// The maximum number of different events that are remembered; after that many, all are forgotten.
    package static let maxEntryCount = 256

    private struct Entry {
        var due: MonotonicInstant
        var omittedCount = 0
    }

    private let entries = Mutex<[ReverseProxy.Event: Entry]>([:])
    private let now: @Sendable () -> MonotonicInstant
    private let log: @Sendable (String) -> Void

    package init(
        now: @escaping @Sendable () -> MonotonicInstant = { .now() },
        _ log: @escaping @Sendable (String) -> Void
    ) {
        self.now = now
        self.log = log
    }

    /// Writes an event, with the number of equal ones that were omitted, unless it was written lately.
    package func record(_ event: ReverseProxy.Event) {
        let now = now()
        let omitted: Int? = entries.withLock { entries in
            if var entry = entries[event], now < entry.due {
                entry.omittedCount += 1
                entries[event] = entry
                return nil
            }
            let omitted = entries[event]?.omittedCount ?? 0
            if entries.count >= Self.maxEntryCount { entries.removeAll() }
            entries[event] = Entry(due: now + Self.interval)
            return omitted
        }
        guard let omitted else { return }
        log(omitted == 0 ? "\(event)" : "\(event) (\(omitted) more in the minutes before)")
    }
}
