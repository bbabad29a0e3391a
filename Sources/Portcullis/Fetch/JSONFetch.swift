// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The way to one authorization server, with its bounds.
struct ServerAccess: Sendable {
    let fetcher: any Fetcher
    let timeout: Duration
    let maxResponseByteCount: Int
    let allowsInsecureLoopback: Bool

    /// Sends a request and returns the body of a 200; any other status is a fault, redirects included.
    func body(
        _ method: Method, _ url: String, fields: Fields
    ) async throws(AuthorizationServerFault) -> [UInt8] {
        try await response(method, url, fields: fields).body
    }

    /// Sends a request and returns the response if it is a 200.
    ///
    /// - Parameter bound: How long it may take, if that is less than the usual bound.
    func response(
        _ method: Method, _ url: String, fields: Fields, sending body: [UInt8] = [],
        within bound: Duration? = nil
    ) async throws(AuthorizationServerFault) -> FetchResponse {
        guard IssuerURL.isFetchable(url, allowingInsecureLoopback: allowsInsecureLoopback) else {
            throw .insecureURL
        }
        let request = FetchRequest(
            url: url, method: method, fields: fields, body: body, timeout: min(timeout, bound ?? timeout),
            maxResponseByteCount: maxResponseByteCount)
        let response: FetchResponse
        do throws(FetchError) {
            response = try await fetcher.fetch(request)
        } catch {
            throw .noResponse(error)
        }
        guard response.status == .ok else { throw .status(response.status.code) }
        guard response.body.count <= maxResponseByteCount else { throw .noResponse(.tooLarge) }
        return response
    }

    /// The same server by another way.
    func through(_ other: any Fetcher) -> ServerAccess {
        ServerAccess(
            fetcher: other, timeout: timeout, maxResponseByteCount: maxResponseByteCount,
            allowsInsecureLoopback: allowsInsecureLoopback)
    }
}
