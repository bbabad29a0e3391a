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
        _ method: Method, _ url: String, fields: Fields, sending body: [UInt8] = []
    ) async throws(AuthorizationServerFault) -> [UInt8] {
        guard IssuerURL.isFetchable(url, allowingInsecureLoopback: allowsInsecureLoopback) else {
            throw .insecureURL
        }
        let request = FetchRequest(
            url: url, method: method, fields: fields, body: body, timeout: timeout,
            maxResponseByteCount: maxResponseByteCount)
        let response: FetchResponse
        do throws(FetchError) {
            response = try await fetcher.fetch(request)
        } catch {
            throw .noResponse(error)
        }
        guard response.status == .ok else { throw .status(response.status.code) }
        guard response.body.count <= maxResponseByteCount else { throw .noResponse(.tooLarge) }
        return response.body
    }
}
