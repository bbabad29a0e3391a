// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisTransport
import Synchronization

/// The way to one authorization server by the package's own client, without a task that waits.
///
/// As strict as ``ServerAccess``, whose bounds it has.
final class DirectAccess: Sendable {
    typealias Outcome = Result<[UInt8], AuthorizationServerFault>

    private let access: ServerAccess
    private let fetcher: HTTPClientFetcher
    /// The URL that was asked last, ready to be asked again.
    private let last = Mutex<(url: String, request: PreparedRequest)?>(nil)

    /// Nothing where another fetcher leads there.
    init?(_ access: ServerAccess) {
        guard let fetcher = access.fetcher as? HTTPClientFetcher else { return nil }
        self.access = access
        self.fetcher = fetcher
    }

    /// What all questions at a URL have in common, or nothing if it may not be asked.
    ///
    /// - Parameter fields: The same each time.
    func prepared(_ method: Method, _ url: String, fields: Fields) -> PreparedRequest? {
        let known = last.withLock { last in
            // Bytes count, but what String calls equal to ASCII and is not has another length.
            last.flatMap { $0.url.utf8.count == url.utf8.count && $0.url == url ? $0.request : nil }
        }
        if let known { return known }
        guard IssuerURL.isFetchable(url, allowingInsecureLoopback: access.allowsInsecureLoopback),
            let request = try? PreparedRequest(method, url, fields: fields)
        else { return nil }
        last.withLock { $0 = (url, request) }
        return request
    }

    /// Sends a request, and hands over the body of a 200; any other status is a fault, redirects included.
    func send(
        _ message: [UInt8], of prepared: PreparedRequest, within bound: Duration,
        then finish: @escaping @Sendable (Outcome) -> Void
    ) {
        let maxByteCount = access.maxResponseByteCount
        fetcher.send(
            message, of: prepared, timeout: min(access.timeout, bound), maxResponseByteCount: maxByteCount
        ) { result in
            switch result {
            case .failure(let error): finish(.failure(.noResponse(error)))
            case .success(let response) where response.status != .ok:
                finish(.failure(.status(response.status.code)))
            case .success(let response): finish(.success(response.body))
            }
        }
    }
}
