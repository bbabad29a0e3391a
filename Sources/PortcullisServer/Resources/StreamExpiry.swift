// SPDX-License-Identifier: MIT

internal import Portcullis

/// What becomes of a streamed answer when the token that opened it expires.
///
/// RFC 6750 §3.1.
public enum StreamExpiry: Sendable {
    /// The connection is cut, so that the client sees an answer that is not whole.
    case cut
    /// What writes the answer is cancelled; once it has ended, the closure has the last word, and the answer ends as a whole one.
    case finish(@Sendable (ResponseBodyWriter) async throws -> Void)
    /// The answer goes on.
    case ignore
}

/// A streamed answer that lasts no longer than the token it was opened with.
struct ExpiringStream: Sendable {
    private struct Expired: Error {}

    let write: @Sendable (ResponseBodyWriter) async throws -> Void
    /// How long the token may still be used.
    let remaining: @Sendable () -> Duration
    let expiry: StreamExpiry

    /// Writes the answer until it ends or the token does.
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
                try await Task.sleep(for: remaining())
                return true
            }
            let hasExpired = try await group.next() ?? false
            // What writes may not care that it was cancelled, so the connection does not wait for it.
            if hasExpired, case .cut = expiry { await writer.sink.cut() }
            return hasExpired
        }
    }

    /// Looks at the time before each piece, since a handler may write faster than timers fire.
    private struct Sink: BodySink {
        let sink: any BodySink
        let remaining: @Sendable () -> Duration

        func write(_ bytes: [UInt8]) async throws {
            guard remaining() > .zero else { throw Expired() }
            try await sink.write(bytes)
        }

        func cut() async { await sink.cut() }
    }
}

extension StreamExpiry {
    /// The answer, with its content ending when the token does, by the terms that it was let in on.
    func limiting(_ response: Response, to token: AccessToken) -> Response {
        guard case .stream(let write) = response.body, token.expiresAt != nil else { return response }
        if case .ignore = self { return response }
        let stream = ExpiringStream(
            write: write, remaining: { token.remainingTime ?? .zero }, expiry: self)
        var response = response
        response.body = .stream(stream.run)
        return response
    }
}
