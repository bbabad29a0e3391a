// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization

/// Curves over the number of resources, known tokens, keys and issuers: one line for each point, with the
/// name, the size and the figure.
enum Growth {
    private static let clock = ContinuousClock()

    static func run() async throws {
        for count in [100, 1000, 10_000] {
            report("replace_pause_ms", count, milliseconds(try await pauseOfReplacement(of: count)))
        }
        for count in [10_000, 100_000, 1_000_000] {
            let (pause, lookUp) = tokens(count)
            report("insert_pause_ms", count, milliseconds(pause))
            report("lookup_ns", count, milliseconds(lookUp) * 1e6)
        }
        for count in [2, 20, 200] { report("verify_ns", count, try verification(keyCount: count)) }
        for count in [1, 8, 64] { report("issuer_ns", count, try verification(issuerCount: count)) }
    }

    private static func report(_ name: String, _ size: Int, _ value: Double) {
        print(name, size, (value * 1000).rounded() / 1000)
    }

    private static func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }

    /// The longest time that an admission takes while another task replaces the resources three times.
    private static func pauseOfReplacement(of count: Int) async throws -> Duration {
        let issuer = TestIssuer("https://as.example.com")
        func resources() throws -> [ProtectedResource] {
            try (0..<count).map { number in
                let identifier = try ResourceIdentifier(validating: "https://api.example.com/r\(number)")
                return ProtectedResource(identifier, trusting: issuer.trusted, scopes: ["read"])
            }
        }
        let registry = try ResourceRegistry(resources())
        let middle = "/r\(count / 2)"
        let head = RequestHead.get(middle, bearer: issuer.mint(audience: "https://api.example.com" + middle))
        let isDone = Atomic(false)
        async let longest = Task.detached {
            var longest = Duration.zero
            while !isDone.load(ordering: .relaxed) {
                let start = clock.now
                _ = try? await registry.current.resource(for: head)?.authorize(head)
                longest = max(longest, clock.now - start)
                if longest == .zero { await Task.yield() }
            }
            return longest
        }.value
        for _ in 0..<3 {
            try registry.replace(resources())
            try await Task.sleep(for: .milliseconds(50))
        }
        isDone.store(true, ordering: .relaxed)
        return await longest
    }

    /// As large as what the gate keeps of a verified token.
    private struct Entry: Sendable {
        let token = Payload()
        let terms = (0.0, 0.0, UInt64(0), UInt64(0), UInt64(0))
    }

    private final class Payload: Sendable {
        let parts = (0, 0, 0, 0, 0, 0, 0, 0)
    }

    /// The longest insertion up to so many tokens and a tenth more, which are evicted; and the time of a
    /// look-up.
    private static func tokens(_ count: Int) -> (pause: Duration, lookUp: Duration) {
        let table = TokenTable<Entry>(capacity: count)
        let digests = (0..<count * 11 / 10).map { Digest.sha256(Array("\($0)".utf8)) }
        var longest = Duration.zero
        for digest in digests {
            let entry = Entry()
            let start = clock.now
            table.insert(entry, for: digest)
            longest = max(longest, clock.now - start)
        }
        let sought = digests.suffix(count / 2).shuffled().prefix(200_000)
        var found = 0
        let took = clock.measure {
            for digest in sought where table[digest] != nil { found += 1 }
        }
        precondition(found > sought.count / 2, "A full table holds the latest tokens.")
        return (longest, took / sought.count)
    }

    private static func verification(keyCount: Int) throws -> Double {
        let issuer = TestIssuer("https://as.example.com")
        let others = try (1..<keyCount).map { try PrivateJWK.generate(.es256, keyID: "k\($0)").publicKey }
        let keys = JWKSet(others + [issuer.key.publicKey])
        return cost([.jwt(issuer: issuer.issuer, keys: .fixed(keys))], issuer)
    }

    private static func verification(issuerCount: Int) throws -> Double {
        let issuers = (0..<issuerCount).map { TestIssuer("https://as\($0).example.com") }
        guard let last = issuers.last else { return 0 }
        return cost(issuers.map(\.trusted), last)
    }

    /// The time to verify a token of an issuer, in nanoseconds: the fastest of several rounds.
    private static func cost(_ trusted: [TrustedIssuer], _ issuer: TestIssuer) -> Double {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = trusted.map(\.issuer)
        var configuration = ProtectedResource.Configuration(metadata, trusting: trusted)
        configuration.tokens.verifiedCacheEntryCount = 0
        guard let resource = try? ProtectedResource(validating: configuration) else { return .infinity }
        let head = RequestHead.get("/notes", bearer: issuer.mint(audience: "https://api.example.com/notes"))
        let count = 1000
        let rounds = (0..<15).map { _ in
            clock.measure {
                for _ in 0..<count {
                    var admission = Admission(to: resource)
                    guard case .needs(.signatureTime) = admission.goOn(head),
                        case .admitted = admission.goOn(head)
                    else { preconditionFailure("A good token is accepted.") }
                }
            }
        }
        return (rounds.min() ?? .zero) / .nanoseconds(1) / Double(count)
    }
}
