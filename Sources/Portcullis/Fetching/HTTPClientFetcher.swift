// SPDX-License-Identifier: MIT

import PortcullisHTTP
public import PortcullisTransport

/// The package's own fetcher: persistent connections on its own event loops, TLS, no redirects.
///
/// Trusts the system's certificate authorities by default.
///
/// RFC 8414 §6.2, RFC 7662 §4.
public struct HTTPClientFetcher: Fetcher {
    private let client: HTTPClient
    /// Narrows the client's own policy.
    private let addresses: AddressPolicy

    /// Makes a fetcher with a client of its own.
    ///
    /// If the roots or the certificate of the configuration can't be read, every https exchange fails; to
    /// fail at once, make the client with `HTTPClient.init(validating:)`.
    public init(configuration: HTTPClient.Configuration = .init()) {
        self.init(HTTPClient(configuration: configuration))
    }

    /// Makes a fetcher that uses this client.
    public init(_ client: HTTPClient) {
        self.init(client, permitting: .any)
    }

    private init(_ client: HTTPClient, permitting addresses: AddressPolicy) {
        self.client = client
        self.addresses = addresses
    }

    /// Returns a fetcher with the same client that connects only to public addresses.
    func publicOnly() -> HTTPClientFetcher { HTTPClientFetcher(client, permitting: .publicOnly) }

    /// Passes on whether an address of a URL's host is private; `false` if it has no address.
    func hasPrivateAddress(_ url: String, then finish: @escaping @Sendable (Bool) -> Void) {
        client.hasPrivateAddress(url, then: finish)
    }

    /// Sends a request and returns the response, within the request's bounds.
    ///
    /// - Throws: ``FetchError`` if there is none.
    public func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        do throws(HTTPClientError) {
            let response = try await client.execute(
                HTTPClient.Request(
                    url: request.url, method: request.method,
                    fields: request.fields.map { ($0.name, $0.value) },
                    body: request.body, deadline: request.timeout,
                    maxResponseByteCount: request.maxResponseByteCount,
                    // All requests of the gate are queries without side effects, so they can be repeated.
                    isRepeatable: true), permitting: addresses)
            return FetchResponse(status: response.status, fields: response.fields, body: response.body)
        } catch {
            throw .failed(error)
        }
    }

    /// Sends a serialized message and passes on the response: once, on the event loop of the caller if any.
    func send(
        _ message: [UInt8], of prepared: PreparedRequest, timeout: Duration, maxResponseByteCount: Int,
        then finish: @escaping @Sendable (Result<ReceivedResponse, FetchError>) -> Void
    ) {
        client.send(
            message, of: prepared, deadline: timeout, maxResponseByteCount: maxResponseByteCount,
            isRepeatable: true, permitting: addresses
        ) { result in
            finish(result.mapError(FetchError.failed))
        }
    }

    /// Serializes what all requests to one URL have in common, or returns `nil` if it cannot be sent.
    func prepare(_ method: Method, _ url: String, fields: Fields) -> PreparedRequest? {
        try? client.prepare(method, url, fields: fields)
    }
}

extension Fetcher where Self == HTTPClientFetcher {
    /// A fetcher that connects only to public addresses, for untrusted URLs.
    ///
    /// Checks the address of the actual connection, which defeats DNS rebinding. RFC 9728 §7.7.
    public static var publicAddressesOnly: HTTPClientFetcher {
        HTTPClientFetcher(configuration: .init(addresses: .publicOnly))
    }
}
