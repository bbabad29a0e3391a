// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import Testing

@Suite("Configuration file: scope of challenges, optional tokens, claims, operations")
struct GateFileTests {
    private static func file(
        route: String = "", resource: String = "", profile: String = "general",
        scopes: String = #"["read","write"]"#
    ) throws -> ConfigurationFile {
        let text = """
            {"resources":[{"profile":"\(profile)",\(resource)
            "metadata":{"resource":"https://api.example.com/mcp","scopes_supported":\(scopes),
            "authorization_servers":["https://as.example.com"]},
            "routes":[{"path":"/mcp",\(route)"respond":"principal"},
            {"path":"/mcp/plain","respond":"echo"}]}]}
            """
        return try ConfigurationFile(parsing: Array(text.utf8))
    }

    private static func errors(_ make: () throws -> ConfigurationFile) -> [String] {
        do {
            _ = try make()
            return []
        } catch let error as InvalidConfiguration {
            return error.findings.filter { $0.severity == .error }.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    /// The requirement of the routes `/mcp` and `/mcp/plain`, and of a path without a route.
    private static func requirements(_ file: ConfigurationFile) throws -> [AccessRequirement?] {
        let resources = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        var declared = Routes()
        file.declare(&declared, guarding: resources)
        let table = try RoutingTable(declared)
        return try ["/mcp", "/mcp/plain", "/mcp/nothing"].map { path in
            let head = try RequestHead(method: .get, target: path, fields: [("Host", "api.example.com")])
            let (route, _) = table.destination(
                .get, authority: "api.example.com", try RequestPath(head, RequestSemantics(head)))
            return route.gate?.requirement
        }
    }

    private static let route = "$.resources[0].routes[0]"

    // MARK: What is read

    @Test func `without these keys everything needs a token, and challenges name what a route needs`() throws
    {
        let file = try Self.file()
        #expect(file.resources[0].challengeScope == .route && file.resources[0].authentication == .required)
        #expect(try Self.requirements(file) == [.anyValidToken, .anyValidToken, .anyValidToken])
    }

    @Test(arguments: ChallengeScope.allCases)
    func `challenge_scope is read`(scope: ChallengeScope) async throws {
        let file = try Self.file(
            route: #""scopes":["read"],"#, resource: #""challenge_scope":"\#(scope.rawValue)","#)
        let resources = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        let refusal = await #expect(throws: Refusal.self) {
            try await resources[0].authorize(
                RequestHead(method: .get, target: "/mcp"), requiring: "read")
        }
        let expected: [ChallengeScope: String] = [.route: "read", .resource: "read write"]
        #expect(refusal?.challenges.map { $0["scope"] } == [expected[scope]])
    }

    @Test func `operations and claims are read in order`() throws {
        let file = try Self.file(
            route: #"""
                "scopes":["read"],
                "claims":[{"pointer":"/realm_access/roles","contains":"admin"},{"pointer":"/level","equals":2}],
                "operations":[
                  {"fields":{"Mcp-Method":"tools/call","Mcp-Name":"café"},"scopes":["write"]},
                  {"fields":{"Mcp-Method":"tools/call"}},
                  {"fields":{"Mcp-Method":"tools/list"},"authentication":"optional"}],
                """#)
        let expected = AccessRequirement("read").holding(
            ClaimCondition("/realm_access/roles", contains: "admin"), ClaimCondition("/level", equals: 2)
        ).distinguishing(
            RequestOperation(["Mcp-Method": "tools/call", "Mcp-Name": "café"], scopes: ["write"]),
            RequestOperation(["Mcp-Method": "tools/call"]),
            .withOptionalToken(["Mcp-Method": "tools/list"]))
        #expect(try Self.requirements(file)[0] == expected)
        let other = try Self.file(
            route: #""operations":[{"fields":{"X-Op":"a"}}],"other_operations":"route","#)
        #expect(
            try Self.requirements(other)[0]
                == AccessRequirement.anyValidToken.distinguishing(
                    RequestOperation(["X-Op": "a"]), others: .route))
    }

    @Test func `authentication is optional at a route, or at the routes of a resource that demand nothing`()
        throws
    {
        let atRoute = try Self.file(route: #""authentication":"optional","#)
        #expect(try Self.requirements(atRoute) == [.validTokenOrNone, .anyValidToken, .anyValidToken])
        let atResource = try Self.file(resource: #""authentication":"optional","#)
        #expect(
            try Self.requirements(atResource) == [.validTokenOrNone, .validTokenOrNone, .anyValidToken])
        let apart = try Self.file(
            route: #""authentication":"required","#, resource: #""authentication":"optional","#)
        #expect(try Self.requirements(apart) == [.anyValidToken, .validTokenOrNone, .anyValidToken])
    }

    /// What makes a route demand something of a token.
    private static let demands = [
        #""scopes":["read"],"#, #""acr_values":["phr"],"#, #""max_age_seconds":60,"#,
        #""sender_constrained":true,"#, #""claims":[{"pointer":"/a","equals":1}],"#,
        #""operations":[{"fields":{"a":"b"}}],"#,
        #""operations":[{"fields":{"a":"b"},"authentication":"optional"}],"#,
    ]

    @Test(arguments: demands)
    func `a route that demands something needs a token all the same`(demand: String) throws {
        let file = try Self.file(route: demand, resource: #""authentication":"optional","#)
        let requirement = try #require(try Self.requirements(file)[0])
        #expect(requirement.conditions?.isTokenOptional != true)
        #expect(requirement != .anyValidToken)
    }

    @Test(arguments: demands)
    func `optional at a route that demands something is an error`(demand: String) {
        let errors = Self.errors { try Self.file(route: demand + #""authentication":"optional","#) }
        #expect(errors.count == 1)
        #expect(
            errors.first?.hasPrefix(Self.route + #".authentication: must not be "optional" on a"#) == true)
    }

    // MARK: Warnings

    private static func warnings(_ file: ConfigurationFile) -> [String] {
        file.warnings.map { "\($0.path): \($0.message)\($0.isSaidAtStart ? " [start]" : "")" }
    }

    @Test func `the file warns of each place that lets requests pass without a token`() throws {
        #expect(Self.warnings(try Self.file()) == [])
        #expect(
            Self.warnings(try Self.file(route: #""authentication":"optional","#)) == [
                Self.route + ".authentication: lets requests without a token pass to /mcp [start]"
            ])
        #expect(
            Self.warnings(try Self.file(resource: #""authentication":"optional","#)) == [
                "$.resources[0].authentication: lets requests without a token pass to the routes that demand "
                    + "nothing: /mcp, /mcp/plain [start]"
            ])
        #expect(
            Self.warnings(
                try Self.file(route: #""operations":[{"fields":{"a":"b"},"authentication":"optional"}],"#))
                == [
                    Self.route
                        + ".operations[0].authentication: lets requests for this operation pass without a token "
                        + "[start]"
                ])
    }

    @Test func `the file warns of operations that a client gets around, and of a list that is empty`() throws
    {
        let others = Self.warnings(
            try Self.file(route: #""operations":[{"fields":{"a":"b"}}],"other_operations":"route","#))
        #expect(others.count == 1 && others[0].hasPrefix(Self.route + ".other_operations: lets a request"))
        let scopes = Self.warnings(
            try Self.file(resource: #""challenge_scope":"resource","#, scopes: "[]"))
        #expect(scopes.contains { $0.hasPrefix("$.resources[0].challenge_scope: names no scope") })
    }

    // MARK: Mistakes

    @Test(arguments: [
        (#""claims":{}"#, ".claims: must be a list of objects"),
        (#""claims":[]"#, ".claims: must not be empty"),
        (#""claims":[{"pointer":"/a"}]"#, ".claims[0]: must have either contains or equals"),
        (
            #""claims":[{"pointer":"/a","contains":1,"equals":1}]"#,
            ".claims[0]: must have either contains or equals"
        ),
        (#""claims":[{"pointer":"a","equals":1}]"#, ".claims[0].pointer: must be a JSON pointer"),
        (#""claims":[{"equals":1}]"#, ".claims[0].pointer: missing"),
        (
            #""claims":[{"pointer":"/a","equals":null}]"#,
            ".claims[0].equals: must be a JSON value other than null"
        ),
        (#""claims":[{"pointer":"/a","equals":1,"x":1}]"#, ".claims[0].x: unknown key"),
        (#""operations":[]"#, ".operations: must not be empty"),
        (#""operations":[{}]"#, ".operations[0].fields: missing"),
        (#""operations":[{"fields":{}}]"#, ".operations[0].fields: must have one field or more"),
        (
            #""operations":[{"fields":{"a b":"c"}}]"#,
            #".operations[0].fields["a b"]: the key must be the name"#
        ),
        (
            #""operations":[{"fields":{"a":""}}]"#,
            ".operations[0].fields.a: must be a string that is not empty"
        ),
        (
            #""operations":[{"fields":{"a":1}}]"#,
            ".operations[0].fields.a: must be a string that is not empty"
        ),
        (#""operations":[{"fields":{"a":" b"}}]"#, ".operations[0].fields.a: must not begin or end"),
        (#""operations":[{"fields":{"a":"é"}}]"#, ".operations[0].fields.a: must be ASCII"),
        (#""operations":[{"fields":{"a":"b","A":"b"}}]"#, ".operations[0].fields.A: given more than once"),
        (
            #""operations":[{"fields":{"Authorization":"b"}}]"#,
            ".operations[0].fields.Authorization: must not be a field with credentials"
        ),
        (
            #""operations":[{"fields":{"a":"b"},"scopes":["x y"]}]"#,
            ".operations[0].scopes[0]: "
        ),
        (
            #""operations":[{"fields":{"a":"b"},"scopes":["other"]}]"#,
            ".operations[0].scopes[0]: is not in the resource's scopes_supported"
        ),
        (
            #""operations":[{"fields":{"a":"b"},"scopes":["read"],"authentication":"optional"}]"#,
            #".operations[0].authentication: must not be "optional""#
        ),
        (
            #""operations":[{"fields":{"a":"b"},"authentication":"none"}]"#,
            ".operations[0].authentication: must be one of"
        ),
        (
            #""operations":[{"fields":{"a":"b"}},{"fields":{"A":"b","c":"d"}}]"#,
            ".operations[1]: is never reached"
        ),
        (#""operations":[{"fields":{"a":"b"},"x":1}]"#, ".operations[0].x: unknown key"),
        (#""other_operations":"refuse""#, ".other_operations: has no effect without operations"),
        (
            #""operations":[{"fields":{"a":"b"}}],"other_operations":"allow""#,
            ".other_operations: must be one of"
        ),
        (#""authentication":true"#, ".authentication: must be one of"),
    ])
    func `a mistake is named by its path`(route: String, expected: String) {
        let errors = Self.errors { try Self.file(route: route + ",") }
        #expect(errors.contains { $0.hasPrefix(Self.route + expected) }, "\(errors)")
    }

    @Test func `limits have their messages`() {
        let operations = (0...1024).map { #"{"fields":{"a":"\#($0)"}}"# }.joined(separator: ",")
        let many = Self.errors { try Self.file(route: #""operations":[\#(operations)],"#) }
        #expect(
            many == [Self.route + ".operations: must be at most 1024, which name at most 16 different fields"]
        )
        let fields = (0...16).map { #"{"fields":{"a\#($0)":"b"}}"# }.joined(separator: ",")
        let wide = Self.errors { try Self.file(route: #""operations":[\#(fields)],"#) }
        #expect(wide.first?.hasPrefix(Self.route + ".operations: must be at most") == true)
        let claims = (0...16).map { #"{"pointer":"/a\#($0)","equals":1}"# }.joined(separator: ",")
        let long = Self.errors { try Self.file(route: #""claims":[\#(claims)],"#) }
        #expect(long == [Self.route + ".claims: must have at most 16 conditions"])
    }

    @Test(arguments: [
        #""claims":[]"#, #""operations":[]"#, #""authentication":"optional""#, #""other_operations":"route""#,
    ])
    func `public routes have none of these keys`(member: String) {
        let text = #"{"public_routes":[{"path":"/x",\#(member),"respond":"echo"}],"resources":[]}"#
        let errors = Self.errors { try ConfigurationFile(parsing: Array(text.utf8)) }
        #expect(errors.contains { $0.contains("unknown key; known here") })
    }

    @Test func `challenge_scope and authentication of a resource are closed lists`() {
        for (member, name) in [
            (#""challenge_scope":"all""#, "challenge_scope"), (#""authentication":1"#, "authentication"),
        ] {
            let errors = Self.errors { try Self.file(resource: member + ",") }
            #expect(errors.first?.hasPrefix("$.resources[0].\(name): must be one of") == true)
        }
    }
}
