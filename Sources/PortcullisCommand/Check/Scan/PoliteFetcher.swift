// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisDiscovery
import PortcullisHTTP

/// A fetcher for scans: one request at a time to each host, and as late as a host asks for.
///
/// A response of 429 or 503 with `Retry-After` is repeated once, after that time, during which the host gets
/// no other request. RFC 9110 §10.2.3.
package struct PoliteFetcher: Fetcher {
    /// The longest time that a host is waited for; with a longer one the response stands.
    package static let maximumDelay: Duration = .seconds(30)

    private let fetcher: any Fetcher
    private let turns = HostTurns()
    private let time: TimeSource
    private let pause: @Sendable (Duration) async -> Void

    /// Creates a fetcher.
    ///
    /// - Parameter pause: Waits; tests replace it.
    package init(
        _ fetcher: any Fetcher, time: TimeSource = .system,
        pause: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    ) {
        self.fetcher = fetcher
        self.time = time
        self.pause = pause
    }

    package func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        let host = HostTurns.host(of: request.url)
        await turns.take(host)
        let result: Result<FetchResponse, FetchError>
        do throws(FetchError) {
            result = .success(try await fetchPatiently(request))
        } catch {
            result = .failure(error)
        }
        await turns.giveBack(host)
        return try result.get()
    }

    private func fetchPatiently(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        // A check that has run out of time only hands its turn on.
        guard !Task.isCancelled else { throw .timedOut }
        let response = try await fetcher.fetch(request)
        guard [429, 503].contains(response.status.code), let delay = delay(in: response),
            delay <= Self.maximumDelay
        else { return response }
        await pause(delay)
        guard !Task.isCancelled else { return response }
        return try await fetcher.fetch(request)
    }

    /// The time that the response asks for, or `nil`.
    private func delay(in response: FetchResponse) -> Duration? {
        guard let text = response.fields[.retryAfter] else { return nil }
        if text.utf8.count <= 9, let seconds = Int(text), seconds >= 0 { return .seconds(seconds) }
        let now = time.now().seconds
        return ReceivedDate.seconds(text, now: now).map { .seconds(max(0, $0 - now)) }
    }
}
