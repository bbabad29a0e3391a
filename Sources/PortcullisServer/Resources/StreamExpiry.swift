// SPDX-License-Identifier: MIT

internal import Portcullis

/// What happens to a streamed response when its token expires, or when a status list withdraws it.
///
/// RFC 6750 §3.1.
public enum StreamExpiry: Sendable {
    /// Cuts the connection, so that the client sees an incomplete response.
    case cut
    /// Cancels the closure that writes the response; once that has ended, this closure writes the rest, and
    /// the response ends as complete.
    ///
    /// The same for a response that a ``ReverseProxy`` passes on, but one that has declared its length or has
    /// switched to another protocol can't end as complete: it is cut.
    case finish(@Sendable (ResponseBodyWriter) async throws -> Void)
    /// The response continues.
    case ignore
}

/// A streamed response that ends when its token does.
struct ExpiringStream: Sendable {
    private struct Expired: Error {}

    /// How often a token with a status is looked up again.
    static let statusInterval = Duration.seconds(1)

    let write: @Sendable (ResponseBodyWriter) async throws -> Void
    /// The remaining lifetime of the token; zero if it was withdrawn.
    let remaining: @Sendable () -> Duration
    /// The longest time after which the lifetime may have changed; `nil` if it does not change.
    var interval: Duration?
    let expiry: StreamExpiry

    /// Writes the response until it ends or the token expires.
    @Sendable func run(_ writer: ResponseBodyWriter) async throws {
        let hasExpired = try await isCutShort(writer)
        guard hasExpired else { return }
        switch expiry {
        case .cut: throw Expired()
        case .finish(let conclude): try await conclude(writer)
        case .ignore: return
        }
    }

    private func isCutShort(_ writer: ResponseBodyWriter) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                do {
                    try await write(ResponseBodyWriter(sink: Sink(sink: writer.sink, remaining: remaining)))
                    return false
                } catch is Expired {
                    return true
                }
            }
            group.addTask {
                if let interval { while remaining() > interval { try await Task.sleep(for: interval) } }
                try await Task.sleep(for: remaining())
                return true
            }
            let hasExpired = try await group.next() ?? false
            // The writer may ignore its cancellation, so the connection does not wait for it.
            if hasExpired, case .cut = expiry { await writer.sink.cut() }
            return hasExpired
        }
    }

    /// Checks the time before each piece, because a handler may write faster than timers fire.
    private struct Sink: BodySink {
        let sink: any BodySink
        let remaining: @Sendable () -> Duration

        func write(_ bytes: [UInt8]) async throws {
            guard remaining() > .zero else { throw Expired() }
            try await sink.write(bytes)
        }

        func begin() async { await sink.begin() }

        func cut() async { await sink.cut() }
    }
}

extension StreamExpiry {
    /// The response with its stream limited to the lifetime of its token.
    ///
    /// draft-ietf-oauth-status-list §8.3.
    func limiting(_ response: Response, to token: AccessToken) -> Response {
        guard case .stream(let write) = response.body, token.expiresAt != nil else { return response }
        if case .ignore = self { return response }
        let canEnd = response.relayed?.upgradeHead == nil && response.relayed?.contentLength == nil
        let stream = ExpiringStream(
            write: write,
            remaining: { token.isRefusedByStatus ? .zero : token.remainingTime ?? .zero },
            interval: token.hasStatus ? ExpiringStream.statusInterval : nil, expiry: canEnd ? self : .cut)
        var response = response
        response.body = .stream(stream.run)
        return response
    }
}
