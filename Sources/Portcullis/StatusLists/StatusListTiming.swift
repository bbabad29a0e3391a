// SPDX-License-Identifier: MIT

import PortcullisTransport

/// When a list is fetched again, and how long it is used.
///
/// The claims of the list rank above fields of HTTP, and both below the bounds here: a list must not cause a
/// request for each request, nor last for ever.
///
/// draft-ietf-oauth-status-list §8.3, §11.5, §13.7.
struct StatusListTiming: Sendable, Hashable {
    /// The shortest time between two fetches of one list.
    static let minInterval = Duration.seconds(30)
    /// The longest time between two fetches of one list.
    static let maxInterval = Duration.seconds(86_400)
    /// The time between two fetches of a list without `ttl` and `exp`.
    static let defaultInterval = Duration.seconds(300)
    /// How long before the end of its `ttl` a list is fetched again.
    private static let lead = Duration.milliseconds(500)

    /// When to fetch it again.
    let due: MonotonicInstant
    /// The end of its use.
    let end: MonotonicInstant

    /// - Parameter fetched: When the fetch began.
    init(_ token: StatusListToken, fetchedAt fetched: MonotonicInstant, grace: Duration) {
        let wanted = token.timeToLive ?? token.remaining ?? Self.defaultInterval
        let interval = min(max(wanted, Self.minInterval), Self.maxInterval)
        due = fetched + max(Self.minInterval, interval - Self.lead)
        let end = fetched + interval + grace
        self.end = token.remaining.map { min(end, fetched + $0) } ?? end
    }

    /// When to try again after a number of failures in a row: after 1, 2, 4, … seconds, at most 30.
    static func nextAttempt(after failureCount: Int, at now: MonotonicInstant) -> MonotonicInstant {
        now + min(.seconds(1 << min(max(failureCount - 1, 0), 16)), minInterval)
    }
}
