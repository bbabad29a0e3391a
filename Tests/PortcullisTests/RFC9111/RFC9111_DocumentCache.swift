// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9111 Documents that a client caches")
struct RFC9111_DocumentCache {
    let world = ForeignDeployment()
    let identifier: ResourceIdentifier = "https://api.example.com/mcp"

    func serve(_ fields: Fields) {
        let body = ForeignDeployment.document().serialized()
        world.network.on(ForeignDeployment.location) { request in
            var all: Fields = [.contentType: "application/json"]
            for field in fields { all.append(field.value, for: field.name) }
            let isKnown = fields[.etag] != nil && request.fields[.ifNoneMatch] == fields[.etag]
            return FetchResponse(status: isKnown ? .notModified : .ok, fields: all, body: isKnown ? [] : body)
        }
    }

    /// The number of fetches when the document is read at these seconds.
    func count(
        readingAt seconds: [Int], _ discovery: ProtectedResourceDiscovery? = nil
    ) async throws -> Int {
        let discovery = discovery ?? world.discovery()
        var now = 0
        for second in seconds {
            world.clock.advance(by: .seconds(second - now))
            now = second
            _ = try await discovery.metadata(of: identifier)
        }
        return world.network.count(of: ForeignDeployment.location)
    }

    @Test func `a document is used without a fetch for max-age`() async throws {
        serve([.cacheControl: "public, max-age=300"])
        #expect(try await count(readingAt: [0, 100, 299, 300, 599]) == 2)
    }

    @Test(
        arguments: [
            [.cacheControl: "no-store"], [.cacheControl: "max-age=300, no-store"],
            [.cacheControl: "no-cache, max-age=300"], [.cacheControl: "max-age=0"],
            [.cacheControl: "max-age=300, max-age=600"], [.cacheControl: "max-age=abc"], [:],
            [.cacheControl: "max-age=300", "Age": "300"], [.cacheControl: "max-age=300", .vary: "*"],
            [.cacheControl: "max-age=-5"],
        ] as [Fields])
    func `a document that must not be reused is fetched again`(fields: Fields) async throws {
        serve(fields)
        #expect(try await count(readingAt: [0, 1]) == 2)
    }

    // The clock of the tests stands at 1 800 000 000 seconds: Friday, 15 January 2027, 08:00:00 GMT.
    @Test(
        arguments: [
            ["Expires": "Fri, 15 Jan 2027 08:05:00 GMT"], ["Expires": "Friday, 15-Jan-27 08:05:00 GMT"],
            ["Expires": "Fri Jan 15 08:05:00 2027"],
            ["Expires": "Sun, 06 Nov 1994 08:54:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"],
            [.cacheControl: "public", "Expires": "Fri, 15 Jan 2027 08:05:00 GMT"],
            [.cacheControl: "max-age=300", "Expires": "0"],
            [.cacheControl: "max-age=300", "Expires": "Fri, 15 Jan 2027 09:05:00 GMT"],
        ] as [Fields])
    func `§5.3: without max-age, a document is used without a fetch until Expires`(
        fields: Fields
    ) async throws {
        serve(fields)
        #expect(try await count(readingAt: [0, 100, 299, 300]) == 2)
    }

    @Test(
        arguments: [
            ["Expires": "0"], ["Expires": "-1"], ["Expires": ""],
            ["Expires": "Thu, 14 Jan 2027 08:05:00 GMT"],
            ["Expires": "Friday, 15-Jan-94 08:05:00 GMT"], ["Expires": "Fri, 15 Jan 2027 08:05:00 CET"],
            ["Expires": "Fri, 15 Foo 2027 08:05:00 GMT"], ["Expires": "Fri, 15 Jan 2027 25:05:00 GMT"],
            ["Expires": "Fri, 15 Jan 2027 08:05:00 GMT", "Expires": "Fri, 15 Jan 2027 08:06:00 GMT"],
            [.cacheControl: "no-cache", "Expires": "Fri, 15 Jan 2027 08:05:00 GMT"],
            [.cacheControl: "no-store", "Expires": "Fri, 15 Jan 2027 08:05:00 GMT"],
            [.cacheControl: "max-age", "Expires": "Fri, 15 Jan 2027 08:05:00 GMT"],
            ["Expires": "Fri, 15 Jan 2027 08:05:00 GMT", "Age": "300"],
        ] as [Fields])
    func `§5.3: a past or malformed date prevents caching`(fields: Fields) async throws {
        serve(fields)
        #expect(try await count(readingAt: [0, 1]) == 2)
    }

    @Test func `Age counts, and several lines of one field form one list`() async throws {
        serve([.cacheControl: "public", .cacheControl: "Max-Age = 300", "Age": "200"])
        #expect(try await count(readingAt: [0, 99, 100]) == 2)
    }

    @Test func `§4.3: a stale document is revalidated, and 304 makes it fresh`() async throws {
        serve([.cacheControl: "max-age=300", .etag: "\"one\""])
        #expect(try await count(readingAt: [0, 300, 599, 600]) == 3)
        let requests = world.network.requests
        #expect(requests[0].fields[.ifNoneMatch] == nil)
        #expect(requests[1].fields[.ifNoneMatch] == "\"one\"")
    }

    @Test func `a lifetime has our own bound, and zero prevents caching`() async throws {
        serve([.cacheControl: "max-age=99999999999"])
        let short = world.discovery { $0.maxCacheAge = .seconds(10) }
        #expect(try await count(readingAt: [0, 9, 10], short) == 2)
        serve([.cacheControl: "max-age=300", .etag: "\"one\""])
        let none = world.discovery { $0.maxCacheAge = .zero }
        #expect(try await count(readingAt: [10, 10], none) == 4)
        #expect(world.network.requests.allSatisfy { !$0.fields.contains(.ifNoneMatch) })
    }

    @Test func `large documents are not cached`() async throws {
        let body = ForeignDeployment.document(["x": .string(String(repeating: "a", count: 70_000))])
            .serialized()
        world.network.on(ForeignDeployment.location) { _ in
            FetchResponse(
                status: .ok, fields: [.contentType: "application/json", .cacheControl: "max-age=300"],
                body: body)
        }
        #expect(try await count(readingAt: [0, 1]) == 2)
    }

    @Test func `a fetch from before the cache was cleared is not cached`() async throws {
        let discovery = world.discovery()
        let (asked, announce) = AsyncStream<Void>.makeStream()
        let (released, release) = AsyncStream<Void>.makeStream()
        let body = ForeignDeployment.document().serialized()
        world.network.on(ForeignDeployment.location) { _ in
            announce.yield()
            for await _ in released { break }
            return FetchResponse(
                status: .ok, fields: [.contentType: "application/json", .cacheControl: "max-age=300"],
                body: body)
        }
        async let first = discovery.metadata(of: identifier)
        for await _ in asked { break }
        await discovery.forget()
        release.finish()
        _ = try await first
        _ = try await discovery.metadata(of: identifier)
        _ = try await discovery.metadata(of: identifier)
        #expect(world.network.count(of: ForeignDeployment.location) == 2)
    }

    @Test func `failures are not cached`() async throws {
        world.network.on(ForeignDeployment.location) { _ in
            FetchResponse(status: .notFound, fields: [.cacheControl: "max-age=300"])
        }
        let discovery = world.discovery()
        await #expect(throws: DiscoveryError.status(404)) { try await discovery.metadata(of: identifier) }
        serve([:])
        _ = try await discovery.metadata(of: identifier)
    }

    @Test func `concurrent requests share one fetch`() async throws {
        serve([.cacheControl: "max-age=300"])
        let discovery = world.discovery()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await discovery.metadata(of: identifier) } }
            try await group.waitForAll()
        }
        #expect(world.network.count(of: ForeignDeployment.location) == 1)
        await discovery.forget()
        _ = try await discovery.metadata(of: identifier)
        #expect(world.network.count(of: ForeignDeployment.location) == 2)
    }

    @Test func `the number of cached documents is bounded`() async throws {
        let discovery = world.discovery { $0.maxCachedDocumentCount = 2 }
        for number in 0..<5 {
            let issuer = "https://as\(number).example"
            world.network.on("\(issuer)/.well-known/oauth-authorization-server") { _ in
                FetchResponse(
                    status: .ok, fields: [.cacheControl: "max-age=300"],
                    body: JSONValue.object(["issuer": .string(issuer)]).serialized())
            }
            _ = try await discovery.authorizationServer(issuer)
        }
        _ = try await discovery.authorizationServer("https://as4.example")
        _ = try await discovery.authorizationServer("https://as0.example")
        #expect(world.network.requests.count == 6)
    }
}
