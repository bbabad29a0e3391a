// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9728 §7.7 Private addresses of keys and metadata")
struct RFC9728_7_7_PrivateAddresses {
    /// An authorization server on this machine whose `jwks_uri` has another host name than its issuer.
    private func withIssuer(
        _ body: (_ port: Int) async throws -> Void
    ) async throws {
        let key = try PrivateJWK.generate(.es256, keyID: "test-1").publicKey
        let port = Mutex(0)
        try await withServer { routes in
            routes.get("/.well-known/oauth-authorization-server") { _ in
                let port = port.withLock { $0 }
                return .text(
                    #"{"issuer": "http://localhost:\#(port)", "jwks_uri": "http://127.0.0.1:\#(port)/jwks"}"#)
            }
            routes.get("/jwks") { _ in
                .text(String(decoding: JWKSet([key]).publicJSON.serialized(), as: UTF8.self))
            }
        } _: { server in
            port.withLock { $0 = server.port }
            try await body(server.port)
        }
    }

    /// Returns why a resource does not get its keys; `nil` if it does.
    private func fault(
        issuer: String, keys: KeySource = .discovered, _ policy: PrivateAddressPolicy, _ resolver: Resolver
    ) async throws -> FetchError? {
        let last = Mutex<FetchError?>(nil)
        var trusted = TrustedIssuer.jwt(issuer: issuer, keys: keys)
        trusted.allowsInsecureLoopback = true
        trusted.privateAddresses = policy
        let client = HTTPClient(configuration: .init(), loops: nil, resolver: resolver)
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: trusted, fetcher: HTTPClientFetcher(client),
            onEvent: { event in
                guard case .refreshFailed(_, let fault) = event, case .noResponse(let error) = fault.cause
                else { return }
                last.withLock { $0 = error.kind }
            })
        let token = TestIssuer(issuer).mint(audience: "https://api.example.com/notes")
        do throws(Refusal) {
            _ = try await resource.authorize(.get("/notes", bearer: token), requiring: .anyValidToken)
            Issue.record("a token of another key was admitted")
        } catch {
            // The keys were loaded if the signature was checked.
            #expect([.invalidSignature, .keysUnavailable].contains(error.reason))
            if error.reason == .invalidSignature { return nil }
        }
        return last.withLock { $0 }
    }

    /// Resolves `localhost` to this machine, from the second look-up on to a public address.
    private static func wavering() -> Resolver {
        let count = Mutex(0)
        return Resolver(lifetime: .zero) { host, port in
            let number = count.withLock { count in
                if host == "localhost" { count += 1 }
                return count
            }
            let target = host == "localhost" ? (number > 1 ? "8.8.8.8" : "127.0.0.1") : host
            return Result { () throws(SocketError) in try SocketAddress.resolve(host: target, port: port) }
        }
    }

    @Test func `an issuer on a private address may have its keys on another one`() async throws {
        try await withIssuer { port in
            for policy in [PrivateAddressPolicy.same, .allow] {
                let found = try await fault(issuer: "http://localhost:\(port)", policy, Resolver())
                #expect(found == nil)
            }
        }
    }

    @Test func `metadata of a public issuer does not lead to a private address`() async throws {
        try await withIssuer { port in
            let issuer = "http://localhost:\(port)"
            let careful = try await fault(issuer: issuer, .same, Self.wavering())
            #expect(careful == .forbiddenAddress)
            let careless = try await fault(issuer: issuer, .allow, Self.wavering())
            #expect(careless == nil)
        }
    }

    @Test func `a configured URL may lead to a private address`() async throws {
        try await withIssuer { port in
            let keys = KeySource.remote("http://127.0.0.1:\(port)/jwks")
            let found = try await fault(issuer: "https://as.example.com", keys: keys, .same, Resolver())
            #expect(found == nil)
        }
    }

    @Test func `refuse means every private address`() async throws {
        try await withIssuer { port in
            let keys = KeySource.remote("http://127.0.0.1:\(port)/jwks")
            for (issuer, source) in [
                ("http://localhost:\(port)", KeySource.discovered), ("https://as.example.com", keys),
            ] {
                let found = try await fault(issuer: issuer, keys: source, .refuse, Resolver())
                #expect(found == .forbiddenAddress)
            }
        }
    }
}
