// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// Access to one authorization server, with its bounds.
package struct ServerAccess: Sendable {
    package let fetcher: any Fetcher
    package let timeout: Duration
    package let maxResponseByteCount: Int
    package let allowsInsecureLoopback: Bool
    /// The last request prepared for the package's own client, to be reused.
    private let prepared = LastPrepared()
    /// The fetcher, if it is the package's own.
    private let own: HTTPClientFetcher?
    private let addresses: AddressRule
    /// Where the duration of calls is recorded, and what they ask for.
    private var meter: (meter: CallMeter, kind: CallMeter.Kind)?

    init(
        fetcher: any Fetcher, timeout: Duration, maxResponseByteCount: Int, allowsInsecureLoopback: Bool,
        addresses: AddressRule = .any
    ) {
        let given = fetcher as? HTTPClientFetcher
        own = addresses.policy == .refuse ? given?.publicOnly() : given
        self.fetcher = own ?? fetcher
        self.addresses = addresses
        self.timeout = timeout
        self.maxResponseByteCount = maxResponseByteCount
        self.allowsInsecureLoopback = allowsInsecureLoopback
    }

    /// Returns access to the same server whose calls are recorded.
    func measured(by meter: CallMeter, as kind: CallMeter.Kind) -> ServerAccess {
        var access = self
        access.meter = (meter, kind)
        return access
    }

    /// A response with status 200, or with another one that the caller reads.
    enum Response: Sendable {
        case received(ReceivedResponse)
        case fetched(FetchResponse)

        var status: Status {
            switch self {
            case .received(let response): response.status
            case .fetched(let response): response.status
            }
        }

        var body: [UInt8] {
            switch self {
            case .received(let response): ByteOrderMark.removed(from: response.body)
            case .fetched(let response): ByteOrderMark.removed(from: response.body)
            }
        }

        var contentType: String? { self[.contentType] }

        subscript(name: FieldName) -> String? {
            switch self {
            case .received(let response): response.fields[name]
            case .fetched(let response): response.fields[name]
            }
        }

        /// The fault of the body, or what the fields say about why it cannot be parsed.
        func explain(_ fault: AuthorizationServerFault) -> AuthorizationServerFault {
            fault.explained(coding: self["Content-Encoding"], type: contentType)
        }
    }

    typealias Outcome = Result<Response, AuthorizationServerFault>

    /// A body that is serialized directly into the message.
    struct Body {
        let byteCount: Int
        let append: (inout [UInt8]) -> Void
    }

    /// Fetches a document and parses the body of a 200; any other status is a fault, redirects included.
    ///
    /// - Parameter bound: The timeout, if it is shorter than the usual one.
    /// - Throws: The fault with the URL.
    func document<Value>(
        _ url: String, accepting types: String, within bound: Duration? = nil,
        _ parse: ([UInt8]) throws(AuthorizationServerFault) -> Value
    ) async throws(AuthorizationServerFault) -> Value {
        let outcome = await withCheckedContinuation { waiting in
            send(.get, url, fields: [.accept: types], within: bound ?? timeout) {
                waiting.resume(returning: $0)
            }
        }
        do throws(AuthorizationServerFault) {
            let response = try outcome.get()
            do throws(AuthorizationServerFault) {
                return try parse(response.body)
            } catch {
                throw response.explain(error)
            }
        } catch {
            throw error.whenCalling(url)
        }
    }

    /// Sends a request, and passes on the response, usually only a 200: once, on any thread, perhaps before this
    /// returns.
    ///
    /// Needs no task with the package's own client; on an event loop it all happens there.
    ///
    /// - Parameters:
    ///   - bound: The timeout, if it is shorter than the usual one.
    ///   - isReadable: Whether responses with a status are passed on; others are faults.
    func send(
        _ method: Method, _ url: String, fields: Fields,
        _ body: Body = Body(byteCount: 0, append: { _ in }), within bound: Duration,
        passingOn isReadable: @escaping @Sendable (Status) -> Bool = { $0 == .ok },
        then finish: @escaping @Sendable (Outcome) -> Void
    ) {
        // The URL of a prepared request has been checked already.
        var message = own == nil ? nil : prepared.request(method, url)
        if message == nil {
            guard IssuerURL.isFetchable(url, allowingInsecureLoopback: allowsInsecureLoopback) else {
                return finish(.failure(.insecureURL(member: nil)))
            }
            message = own.flatMap {
                prepared.prepare(
                    method, url, fields: fields, by: $0, isMistrusted: addresses.mistrusts(url))
            }
        }
        let bound = min(timeout, bound)
        let finish = meter.map { $0.meter.measuring($0.kind, then: finish) } ?? finish
        let judge: @Sendable (Result<Response, FetchError>) -> Void = { [maxResponseByteCount] result in
            finish(Self.outcome(of: result, passingOn: isReadable, maxResponseByteCount))
        }
        if let own, let message {
            let bytes = message.request.message(withBodyOf: body.byteCount, body.append)
            if message.isMistrusted {
                return sendToPublicAddress(bytes, of: message.request, through: own, bound) {
                    judge($0.map(Response.received))
                }
            }
            own.send(
                bytes, of: message.request, timeout: bound, maxResponseByteCount: maxResponseByteCount
            ) { judge($0.map(Response.received)) }
            return
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.byteCount)
        body.append(&bytes)
        let request = FetchRequest(
            url: url, method: method, fields: fields, body: bytes, timeout: bound,
            maxResponseByteCount: maxResponseByteCount)
        Task { [fetcher] in judge(await fetcher.result(of: request).map(Response.fetched)) }
    }

    /// Sends a message to a public address, or to a private one if the issuer's own host has one too.
    ///
    /// RFC 9728 §7.7.
    private func sendToPublicAddress(
        _ bytes: [UInt8], of request: PreparedRequest, through own: HTTPClientFetcher, _ bound: Duration,
        then finish: @escaping @Sendable (Result<ReceivedResponse, FetchError>) -> Void
    ) {
        own.publicOnly().send(
            bytes, of: request, timeout: bound, maxResponseByteCount: maxResponseByteCount
        ) { [addresses, maxResponseByteCount] result in
            guard case .failure(let error) = result, error.kind == .forbiddenAddress else {
                return finish(result)
            }
            own.hasPrivateAddress(addresses.issuer) { isPrivate in
                guard isPrivate else { return finish(result) }
                own.send(
                    bytes, of: request, timeout: bound, maxResponseByteCount: maxResponseByteCount,
                    then: finish)
            }
        }
    }

    private static func outcome(
        of result: Result<Response, FetchError>, passingOn isReadable: (Status) -> Bool,
        _ maxResponseByteCount: Int
    ) -> Outcome {
        switch result {
        case .failure(let error): .failure(.noResponse(error))
        case .success(let response) where !isReadable(response.status):
            .failure(.init(status: response.status, location: response[.location]))
        case .success(let response) where response.body.count > maxResponseByteCount:
            .failure(.noResponse(.tooLarge))
        case .success(let response): .success(response)
        }
    }

    /// Returns access to the same server through another fetcher.
    func through(_ other: any Fetcher) -> ServerAccess {
        var access = ServerAccess(
            fetcher: other, timeout: timeout, maxResponseByteCount: maxResponseByteCount,
            allowsInsecureLoopback: allowsInsecureLoopback, addresses: addresses)
        access.meter = meter
        return access
    }
}

/// The common part of all requests to one URL, serialized once.
private final class LastPrepared: Sendable {
    struct Message: Sendable {
        let request: PreparedRequest
        /// Whether the URL must lead to a public address.
        let isMistrusted: Bool
    }

    private let last = Mutex<(method: Method, url: String, message: Message)?>(nil)

    func request(_ method: Method, _ url: String) -> Message? {
        last.withLock { last in
            // The length excludes a String that is only canonically equivalent to an ASCII one.
            last.flatMap {
                $0.method == method && $0.url.utf8.count == url.utf8.count && $0.url == url
                    ? $0.message : nil
            }
        }
    }

    /// - Parameter fields: The same each time for one URL.
    func prepare(
        _ method: Method, _ url: String, fields: Fields, by fetcher: HTTPClientFetcher, isMistrusted: Bool
    ) -> Message? {
        guard let request = fetcher.prepare(method, url, fields: fields) else { return nil }
        let message = Message(request: request, isMistrusted: isMistrusted)
        last.withLock { $0 = (method, url, message) }
        return message
    }
}

extension Fetcher {
    fileprivate func result(of request: FetchRequest) async -> Result<FetchResponse, FetchError> {
        do throws(FetchError) {
            return .success(try await fetch(request))
        } catch {
            return .failure(error)
        }
    }
}
