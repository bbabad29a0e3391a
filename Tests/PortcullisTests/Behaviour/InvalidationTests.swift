// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 7662 §4 Cached answers can be invalidated")
struct InvalidationTests {
    static let endpoint = RFC7662_2_Introspection.endpoint
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let resource: ProtectedResource

    init() {
        resource = RFC7662_2_Introspection.resource(fetcher: fetcher, clock: clock)
        // The token up to the first hyphen is its subject.
        fetcher.on(Self.endpoint) { request in
            let token = String(decoding: request.body, as: UTF8.self).split(separator: "&")[0].dropFirst(6)
            var answer = RFC7662_2_Introspection.active
            answer["sub"] = token.split(separator: "-").first.map { .string(String($0)) }
            return FetchResponse(status: .ok, body: answer.serialized())
        }
    }

    private func use(_ tokens: String...) async -> Int {
        let before = fetcher.requests.count
        for token in tokens { #expect(await resource.refusal(of: .get("/mcp", bearer: token)) == nil) }
        return fetcher.requests.count - before
    }

    @Test func `all tokens of a subject are introspected again, and no others`() async {
        #expect(await use("alice-1", "alice-2", "bob-1") == 3)
        #expect(await use("alice-1", "alice-2", "bob-1") == 0)
        resource.invalidate(subject: "alice")
        #expect(await use("bob-1") == 0)
        #expect(await use("alice-1", "alice-2") == 2)
        resource.invalidate(subject: "ALICE")
        resource.invalidate(subject: "alice", of: "https://other.example")
        #expect(await use("alice-1", "alice-2", "bob-1") == 0)
        resource.invalidate(subject: "alice", of: "https://as.example.com")
        #expect(await use("alice-1", "bob-1") == 1)
    }

    @Test func `one token is introspected again, and no other`() async {
        #expect(await use("alice-1", "alice-2") == 2)
        resource.invalidate("alice-1")
        #expect(await use("alice-1", "alice-2") == 1)
    }

    @Test func `a refusal is forgotten with its token`() async {
        fetcher.on(Self.endpoint, json: ["active": false])
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "a")), .inactiveToken)
        fetcher.on(Self.endpoint, json: .object(RFC7662_2_Introspection.active))
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "a")), .inactiveToken)
        resource.invalidate("a")
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
    }

    @Test(arguments: [true, false])
    func `an answer to an earlier request is neither cached nor shared afterwards`(bySubject: Bool) async {
        let door = Latch()
        let body = RFC7662_2_Introspection.active.serialized()
        fetcher.on(Self.endpoint) { _ in
            await door.wait()
            return FetchResponse(status: .ok, body: body)
        }
        let resource = resource
        async let early = resource.refusal(of: .get("/mcp", bearer: "a"))
        await settle { !fetcher.requests.isEmpty }
        if bySubject { resource.invalidate(subject: "user-1") } else { resource.invalidate("a") }
        async let late = resource.refusal(of: .get("/mcp", bearer: "a"))
        await settle { fetcher.requests.count >= 2 }
        fetcher.on(Self.endpoint, json: ["active": false])
        #expect(fetcher.requests.count == 2)
        door.open()
        #expect(await early == nil)
        #expect(await late == nil)
        // The later request's answer is cached, because nothing was invalidated after it.
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(fetcher.requests.count == 2)
    }
}
