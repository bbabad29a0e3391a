// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE
import PortcullisServer
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Files with thousands of resources.
@Suite("Configuration file: growth", .serialized)
struct GrowthTests {
    /// How a file spreads its resources.
    enum Shape: CaseIterable {
        case oneAuthority, hundredAuthorities, oneResourceWithManyRoutes, publicRoutes, nested, queries
        case issuers

        /// A file with so many resources, or routes.
        func text(_ count: Int) -> String {
            switch self {
            case .oneAuthority: file(count) { ("https://a.example/r\($0)", [route("/r\($0)/{id}")]) }
            case .hundredAuthorities:
                file(count) { ("https://a\($0 % 100).example/r\($0)", [route("/r\($0)/{id}")]) }
            case .oneResourceWithManyRoutes:
                file(1) { _ in ("https://a.example/r", (0..<count).map { route("/r/\($0)/{id}") }) }
            case .publicRoutes:
                file(count / 2, more: (0..<count / 2).map { route("/p\($0)", scopes: nil) }) {
                    ("https://a.example/r\($0)", [])
                }
            case .nested:
                file(count) {
                    ("https://a.example/r\($0 / 4)" + String(repeating: "/x", count: $0 % 4), [])
                }
            case .queries: file(count) { ("https://a.example/r?n=\($0)", []) }
            case .issuers:
                file(count / 4, issuers: { ["https://as\($0).example", "https://as0.example/\($0)"] }) {
                    ("https://a.example/r\($0)", [])
                }
            }
        }

        private func route(_ path: String, scopes: String? = "read") -> String {
            let scopes = scopes.map { #", "scopes": ["\#($0)"]"# } ?? ""
            return #"{"path": "\#(path)"\#(scopes), "respond": {"text": "x"}}"#
        }

        private func file(
            _ count: Int, more: [String] = [], issuers: (Int) -> [String] = { _ in ["https://as.example"] },
            _ resource: (Int) -> (identifier: String, routes: [String])
        ) -> String {
            let resources = (0..<count).map { index in
                let (identifier, routes) = resource(index)
                let listed = issuers(index).map { "\"\($0)\"" }.joined(separator: ", ")
                return """
                    {"metadata": {"resource": "\(identifier)", "authorization_servers": [\(listed)],
                     "scopes_supported": ["read"]}, "routes": [\(routes.joined(separator: ", "))]}
                    """
            }
            return """
                {"resources": [\(resources.joined(separator: ", "))],
                 "public_routes": [\(more.joined(separator: ", "))]}
                """
        }
    }

    /// The processor time of the fastest of several runs, in nanoseconds.
    private static func cost(_ runs: Int, _ work: () throws -> Void) rethrows -> UInt64 {
        func now() -> UInt64 {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        }
        return try (0..<runs).map { _ in
            let start = now()
            try work()
            return now() - start
        }.min() ?? 0
    }

    /// Reads, checks and compiles a file, as at the start.
    private static func load(_ text: [UInt8]) throws {
        let file = try ConfigurationFile(parsing: text)
        let resources = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        var routes = Routes()
        file.declare(&routes, guarding: resources)
        _ = try RoutingTable(routes)
        _ = try ResourceRegistry(resources.map { $0 })
    }

    @Test(arguments: Shape.allCases)
    func `ten times the resources take at most 25 times as long`(shape: Shape) throws {
        let (few, many) = (Array(shape.text(200).utf8), Array(shape.text(2000).utf8))
        // Without a square it is 10, with one up to 100.
        let least = try Self.cost(2) { try Self.load(few) }
        let most = try Self.cost(1) { try Self.load(many) }
        #expect(most < 25 * least, "\(least / 1000) µs, \(most / 1000) µs")
    }

    @Test(arguments: [2, 3, 8])
    func `several cores find the same as one, in the order of the file`(cores: Int) throws {
        let wrong = Shape.oneAuthority.text(1000)
            .replacing("\"/r3/{id}\"", with: "\"/r3/{id\"").replacing("\"/r500/", with: "\"/other/")
            .replacing("https://a.example/r999", with: "http://a.example/r999")
        func findings(_ cores: Int) -> [Finding] {
            do throws(InvalidConfiguration) {
                return try ConfigurationFile(parsing: Array(wrong.utf8), onCores: cores).warnings
            } catch {
                return error.findings
            }
        }
        let found = findings(cores)
        #expect(found.filter { $0.severity == .error }.count == 3)
        #expect(found == findings(1))

        let text = Array(Shape.hundredAuthorities.text(1000).utf8)
        let (one, many) = (
            try ConfigurationFile(parsing: text), try ConfigurationFile(parsing: text, onCores: cores)
        )
        #expect(many.resources.map(\.path) == one.resources.map(\.path))
        #expect(many.resources.map(\.metadata) == one.resources.map(\.metadata))
        #expect(many.resources.map(\.routes) == one.resources.map(\.routes))
        #expect(many.warnings == one.warnings)
    }

    @Test func `a file of a thousand resources with ten routes each is accepted`() throws {
        let text = (0..<1000).map { number in
            let routes = (0..<10).map {
                #"{"path": "/r\#(number)/\#($0)", "respond": "echo"}"#
            }
            return SampleFile.resource(
                "https://api.example.com/r\(number)",
                more: "\"routes\": [\(routes.joined(separator: ", "))]")
        }.joined(separator: ", ")
        #expect(SampleFile.problems(SampleFile.with(resource: text)) == [])
    }

    private static func problem(_ text: String, _ limits: JSONLimits) -> String? {
        do throws(InvalidConfiguration) {
            _ = try ConfigurationFile(parsing: Array(text.utf8), within: limits)
            return nil
        } catch {
            return error.findings.map(\.description).joined(separator: "\n")
        }
    }

    @Test func `each limit of the file's JSON has a sentence that names it`() {
        let text = SampleFile.with()
        #expect(
            Self.problem(text, JSONLimits(maximumMemberCount: 3))
                == "$: must be JSON: more than 3 members and elements, the maximum number in the file, "
                + "at line 1, column 44")
        #expect(
            Self.problem(text, JSONLimits(maximumDepth: 2))
                == "$: must be JSON: nested deeper than 2, the maximum nesting of the file, at line 1, column 16"
        )
        #expect(
            Self.problem(text, JSONLimits(maximumByteCount: 10))?
                .contains("longer than 10 bytes, the maximum length of the file") == true)
    }

    @Test func `the limits of the file are not those of tokens`() {
        #expect(ConfigurationFile.maxByteCount == 67_108_864)
        #expect(ConfigurationFile.maxMemberCount == 4_000_000)
        #expect(ConfigurationFile.maxDepth == 20)
        #expect(ConfigurationFile.maxResourceCount == 50_000)
        #expect(JSONLimits.default.maximumMemberCount == 10_000)
    }

    @Test func `the number of resources is limited`() {
        let text = "{\"resources\": [" + String(repeating: "{},", count: 50_000) + "{}]}"
        #expect(
            SampleFile.problems(text) == [
                "$.resources: must be at most 50000, the maximum number of resources; here are 50001"
            ])
    }

    @Test func `the number of issuers of a resource is limited`() throws {
        func problems(_ count: Int) throws -> [String] {
            let issuers = (0..<count).map { "\"https://as\($0).example\"" }.joined(separator: ", ")
            let text = """
                {"resources": [{"metadata": {"resource": "https://a.example",
                 "authorization_servers": [\(issuers)]}}]}
                """
            do throws(InvalidConfiguration) {
                _ = try ConfigurationFile(parsing: Array(text.utf8))
                    .makeResources(relativeTo: "c.json", onEvent: { _ in })
                return []
            } catch {
                return error.findings.filter { $0.severity == .error }.map(\.description)
            }
        }
        #expect(try problems(64) == [])
        #expect(
            try problems(65) == [
                "$.resources[0].trusted_issuers: Trust at most 64 issuers, the maximum number of a resource; "
                    + "here are 65."
            ])
    }
}
