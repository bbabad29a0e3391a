// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Synchronization
import Testing

@Suite("URL Standard §5.1 The parameters of a query")
struct URLStandard_5_1_Queries {
    /// What a handler has read.
    private final class Holder: Sendable {
        let parameters = Mutex<QueryParameters?>(nil)
    }

    private static func parameters(_ target: String) async throws -> QueryParameters? {
        let holder = Holder()
        let app = RouteTester { routes in
            routes.get("/") { request in
                let parameters = try request.queryParameters
                holder.parameters.withLock { $0 = parameters }
                return .ok
            }
        }
        #expect(try await app.get(target).status == .ok)
        return holder.parameters.withLock { $0 }
    }

    @Test(arguments: [
        ("/", []),
        ("/?", []),
        ("/?a=1&b=2&a=3", ["a=1", "b=2", "a=3"]),
        ("/?a", ["a="]),
        ("/?a=&=b&=", ["a=", "=b", "="]),
        ("/?&&a=1&&", ["a=1"]),
        ("/?a=b=c", ["a=b=c"]),
        ("/?a+b=c+d%2B", ["a b=c d+"]),
        ("/?%61%3D=%26%25", ["a==&%"]),
        ("/?a=%2541", ["a=%41"]),
        ("/?a=%C3%A9", ["a=é"]),
        ("/?a=%zz%4&b=%", ["a=%zz%4", "b=%"]),
        ("/?a=%FF%C3", ["a=\u{FFFD}\u{FFFD}"]),
        ("/?a;b=1?2/3", ["a;b=1?2/3"]),
        ("/?a=%00", ["a=\u{0}"]),
    ])
    func `pairs, plus and percent-encoding are read as in a form`(
        target: String, expected: [String]
    ) async throws {
        let parameters = try #require(try await Self.parameters(target))
        #expect(parameters.map { "\($0.name)=\($0.value)" } == expected)
    }

    @Test func `a name finds its first value, or all of them`() async throws {
        let parameters = try #require(try await Self.parameters("/?tag=a&page=2&tag=b&Tag=c&e%CC%81=1"))
        #expect(parameters["page"] == "2" && parameters["tag"] == "a")
        #expect(parameters.values(of: "tag") == ["a", "b"])
        #expect(parameters["size"] == nil && parameters.values(of: "size") == [])
        // Byte by byte: U+00E9 is not e with U+0301.
        #expect(parameters["\u{E9}"] == nil && parameters["e\u{301}"] == "1")
        #expect(parameters.count == 5)
    }

    @Test(arguments: [0, 1, 2]) func `more parameters than the limit are 400`(excess: Int) async throws {
        let app = RouteTester { routes in
            routes.get("/") { request in .text("\(try request.queryParameters.count)") }
        }
        let pairs = Array(repeating: "a", count: QueryParameters.maximumCount + excess)
        let reply = try await app.get("/?" + pairs.joined(separator: "&"))
        #expect(reply.status == (excess == 0 ? .ok : .badRequest))
        #expect(reply.text.contains("more than 256 parameters") == (excess > 0))
    }

    @Test func `the query stays as it was received`() async throws {
        let app = RouteTester { routes in routes.get("/") { .text($0.query ?? "none") } }
        #expect(try await app.get("/?a=%61+b").text == "a=%61+b")
        #expect(try await app.get("/").text == "none")
    }
}
