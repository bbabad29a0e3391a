// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP
public import PortcullisJOSE
import Synchronization

/// A fetcher without a network: returns scripted responses and records the requests.
///
/// A URL without a script is unreachable.
public final class ScriptedFetcher: Fetcher {
    /// Answers one request.
    public typealias Script = @Sendable (FetchRequest) async throws(FetchError) -> FetchResponse

    private struct State {
        var scripts: [String: Script] = [:]
        var requests: [FetchRequest] = []
    }

    private let state = Mutex(State())

    /// Creates a fetcher without scripts.
    public init() {}

    /// Answers every request for a URL with the closure's result, from now on.
    public func on(_ url: String, _ script: @escaping Script) {
        state.withLock { $0.scripts[url] = script }
    }

    /// Answers every request for a URL with this JSON, from now on.
    public func on(_ url: String, status: Status = .ok, json: JSONValue) {
        let body = json.serialized()
        on(url) { _ in FetchResponse(status: status, fields: [.contentType: "application/json"], body: body) }
    }

    /// Answers every request for a URL with this status and no body, from now on.
    public func on(_ url: String, status: Status) {
        on(url) { _ in FetchResponse(status: status) }
    }

    /// Fails every request for a URL with an error, from now on.
    public func on(_ url: String, failing error: FetchError) {
        on(url) { _ throws(FetchError) in throw error }
    }

    /// The requests so far, in order.
    public var requests: [FetchRequest] { state.withLock { $0.requests } }

    /// The number of requests for a URL.
    public func count(of url: String) -> Int {
        requests.filter { $0.url == url }.count
    }

    /// Records the request and answers it.
    public func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        let script = state.withLock { state in
            state.requests.append(request)
            return state.scripts[request.url]
        }
        guard let script else { throw .unreachable }
        return try await script(request)
    }
}
