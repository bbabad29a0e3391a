// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 7662 §2.3 Introspection while the authorization server fails")
struct IntrospectionOutageTests {
    static let name = "https://as.example.com"
    static let endpoint = RFC7662_2_Introspection.endpoint
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let events = EventLog()

    private func resource(maxConcurrentCallCount: Int = 64) -> ProtectedResource {
        var issuer = TrustedIssuer.introspection(
            issuer: Self.name, endpoint: Self.endpoint,
            authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
        issuer.introspection?.maxConcurrentCallCount = maxConcurrentCallCount
        return RFC7662_2_Introspection.resource(
            fetcher: fetcher, clock: clock, events: events, issuer: issuer)
    }

    private func recover() {
        fetcher.on(Self.endpoint, json: .object(RFC7662_2_Introspection.active))
    }

    private func ask(_ resource: ProtectedResource, _ tokens: some Sequence<String>) async -> [Status?] {
        var answers: [Status?] = []
        for token in tokens {
            answers.append(await resource.refusal(of: .get("/mcp", bearer: token))?.status)
        }
        return answers
    }

    /// An unreachable server fails for every token; where the token may be the cause, a probe decides.
    @Test(arguments: [(FetchError.unreachable, 5), (.timedOut, 6)])
    func `five failures in a row suspend the calls, and one probe per pause detects the recovery`(
        error: FetchError, callCount: Int
    ) async {
        fetcher.on(Self.endpoint, failing: error)
        let resource = resource()
        let statuses = await ask(resource, (0..<50).map { "t\($0)" })
        #expect(statuses.allSatisfy { $0 == .serviceUnavailable })
        #expect(fetcher.requests.count == callCount)
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            let before = fetcher.requests.count
            clock.advance(by: .milliseconds(pause * 1000 - 1))
            _ = await ask(resource, ["x", "y"])
            #expect(fetcher.requests.count == before)
            clock.advance(by: .milliseconds(1))
            _ = await ask(resource, ["x", "y"])
            #expect(fetcher.requests.count == before + 1)
        }
        recover()
        clock.advance(by: .seconds(30))
        #expect(await ask(resource, ["x", "y", "z"]) == [nil, nil, nil])
        #expect(events.all.last == .introspectionResumed(issuer: Self.name))
        #expect(events.all.contains(.introspectionSuspended(issuer: Self.name, pause: .seconds(1))))
    }

    @Test func `failures that are not in a row suspend nothing, and the count starts again`() async {
        let resource = resource()
        for round in 0..<5 {
            fetcher.on(Self.endpoint, status: .internalServerError)
            _ = await ask(resource, (0..<4).map { "bad\(round)-\($0)" })
            recover()
            #expect(await ask(resource, ["good\(round)"]) == [nil])
        }
        #expect(fetcher.requests.count == 25)
    }

    @Test func `a refusal that concerns one request suspends nothing`() async {
        fetcher.on(Self.endpoint, status: Status(400))
        let resource = resource()
        _ = await ask(resource, (0..<20).map { "t\($0)" })
        #expect(fetcher.requests.count == 20)
    }

    @Test func `a cached token needs no server`() async {
        recover()
        let resource = resource()
        #expect(await ask(resource, ["known"]) == [nil])
        fetcher.on(Self.endpoint, failing: .unreachable)
        _ = await ask(resource, (0..<10).map { "t\($0)" })
        #expect(await ask(resource, ["known"]) == [nil])
    }

    @Test func `concurrent calls stay within the bound, and the others wait their turn`() async {
        let door = Latch()
        let most = Mutex((current: 0, peak: 0))
        let body = RFC7662_2_Introspection.active.serialized()
        fetcher.on(Self.endpoint) { _ in
            most.withLock {
                $0.current += 1
                $0.peak = max($0.peak, $0.current)
            }
            await door.wait()
            most.withLock { $0.current -= 1 }
            return FetchResponse(status: .ok, body: body)
        }
        let resource = resource(maxConcurrentCallCount: 3)
        await withTaskGroup(of: Refusal?.self) { group in
            for number in 0..<40 {
                group.addTask { await resource.refusal(of: .get("/mcp", bearer: "t\(number)")) }
            }
            for _ in 0..<2000 { await Task.yield() }
            door.open()
            for await refusal in group { #expect(refusal == nil) }
        }
        #expect(most.withLock { $0.peak } == 3)
        #expect(fetcher.requests.count == 40)
    }

    @Test func `waiting requests are answered when the calls are suspended`() async {
        let door = Latch()
        fetcher.on(Self.endpoint) { _ throws(FetchError) in
            await door.wait()
            throw .timedOut
        }
        let resource = resource(maxConcurrentCallCount: 5)
        let count = await withTaskGroup(of: Refusal?.self) { group in
            for number in 0..<200 {
                group.addTask { await resource.refusal(of: .get("/mcp", bearer: "t\(number)")) }
            }
            for _ in 0..<2000 { await Task.yield() }
            door.open()
            return await group.reduce(into: 0) { $0 += $1?.status == .serviceUnavailable ? 1 : 0 }
        }
        #expect(count == 200)
        #expect(fetcher.requests.count < 15)
    }

    @Test func `a request that waits longer than the timeout is answered without a call`() async {
        let door = Latch()
        let clock = clock
        let body = RFC7662_2_Introspection.active.serialized()
        fetcher.on(Self.endpoint) { _ in
            await door.wait()
            clock.advance(by: .seconds(6))
            return FetchResponse(status: .ok, body: body)
        }
        let resource = resource(maxConcurrentCallCount: 1)
        let refused = await withTaskGroup(of: Refusal?.self) { group in
            for number in 0..<4 {
                group.addTask { await resource.refusal(of: .get("/mcp", bearer: "t\(number)")) }
            }
            for _ in 0..<2000 { await Task.yield() }
            door.open()
            return await group.reduce(into: 0) { $0 += $1?.reason == .introspectionUnavailable ? 1 : 0 }
        }
        #expect(refused == 3)
        #expect(fetcher.requests.count == 1)
    }

    @Test(arguments: [false, true])
    func `waiting requests have a bound, and a request beyond it is answered at once`(
        isFresh: Bool
    ) async throws {
        let door = Latch()
        let body = RFC7662_2_Introspection.active.serialized()
        fetcher.on(Self.endpoint) { _ in
            await door.wait()
            return FetchResponse(status: .ok, body: body)
        }
        let resource = resource()
        let requirement = isFresh ? AccessRequirement.anyValidToken.freshlyIntrospected() : .anyValidToken
        let (bound, beyond) = (1024, 50)
        await withTaskGroup(of: (Int, Refusal?).self) { group in
            for number in 0..<(bound + beyond) {
                group.addTask {
                    (
                        number,
                        await resource.refusal(of: .get("/mcp", bearer: "t\(number)"), requiring: requirement)
                    )
                }
            }
            var refused: Set<Int> = []
            // The gate is closed, so that the first answers are those that need no call.
            for _ in 0..<beyond {
                guard let (number, refusal) = await group.next() else { return }
                refused.insert(number)
                #expect(
                    refusal?.reason == .introspectionUnavailable && refusal?.status == .serviceUnavailable)
                #expect(refusal?.head.fields[.retryAfter] != nil && refusal?.challenges == [])
            }
            door.open()
            for await (_, refusal) in group { #expect(refusal == nil) }
            #expect(fetcher.requests.count == bound)
            // A full queue does not mean that the token is invalid.
            for number in refused.prefix(3) { #expect(await ask(resource, ["t\(number)"]) == [nil]) }
        }
    }

    /// A server whose answer depends on the token.
    private func answer(_ status: @escaping @Sendable (_ token: String) -> Status?) {
        let body = RFC7662_2_Introspection.active.serialized()
        fetcher.on(Self.endpoint) { request throws(FetchError) in
            let form = String(decoding: request.body, as: UTF8.self)
            let token = String(form.dropFirst("token=".count).prefix { $0 != "&" })
            guard let status = status(token) else { return FetchResponse(status: .ok, body: body) }
            return FetchResponse(status: status, body: [])
        }
    }

    @Test(arguments: [401, 403, 429, 500, 503])
    func `tokens that make the server fail harm no other token`(code: Int) async {
        answer { $0.hasPrefix("bad") ? Status(code: code) : nil }
        let resource = resource()
        for round in 0..<5 {
            let bad = await ask(resource, (0..<50).map { "bad\(round)-\($0)" })
            #expect(bad.allSatisfy { $0 == .serviceUnavailable })
            #expect(await ask(resource, (0..<5).map { "good\(round)-\($0)" }).allSatisfy { $0 == nil })
        }
        #expect(!events.all.contains { if case .introspectionSuspended = $0 { true } else { false } })
    }

    @Test func `before a token is known to be active, the probe uses one that was not issued`() async {
        answer { $0.hasPrefix("bad") ? .internalServerError : nil }
        let resource = resource()
        _ = await ask(resource, (0..<50).map { "bad\($0)" })
        #expect(await ask(resource, ["good"]) == [nil])
        // At most one probe per second.
        #expect(fetcher.requests.count == 50 + 1 + 1)
    }

    @Test func `one token that fails repeatedly suspends nothing`() async {
        answer { $0 == "bad" ? .internalServerError : nil }
        let resource = resource()
        _ = await ask(resource, (0..<50).map { _ in "bad" })
        #expect(fetcher.requests.count == 50)
        #expect(await ask(resource, ["good"]) == [nil])
    }

    @Test func `the probe of an open circuit asks about a token known to be active`() async {
        answer { _ in nil }
        let resource = resource()
        #expect(await ask(resource, ["good"]) == [nil])
        fetcher.on(Self.endpoint, failing: .unreachable)
        _ = await ask(resource, (0..<5).map { "t\($0)" })
        answer { $0 == "good" ? nil : .internalServerError }
        clock.advance(by: .seconds(1))
        #expect(await ask(resource, ["bad"]) == [.serviceUnavailable])
        #expect(events.all.contains(.introspectionResumed(issuer: Self.name)))
        answer { $0.hasPrefix("bad") ? .internalServerError : nil }
        #expect(await ask(resource, ["other"]) == [nil])
    }

    @Test func `a failing token that is known to be active suspends the calls without a probe`() async {
        answer { _ in nil }
        let resource = resource()
        #expect(await ask(resource, ["good"]) == [nil])
        fetcher.on(Self.endpoint, status: .internalServerError)
        clock.advance(by: .seconds(31))
        _ = await ask(resource, ["good"] + (0..<10).map { "t\($0)" })
        #expect(fetcher.requests.count == 1 + 5)
    }

    @Test func `tokens known to be active have their own queue places`() async {
        answer { _ in nil }
        let resource = resource(maxConcurrentCallCount: 4)
        #expect(await ask(resource, ["good"]) == [nil])
        clock.advance(by: .seconds(31))
        let door = Latch()
        let body = RFC7662_2_Introspection.active.serialized()
        fetcher.on(Self.endpoint) { request in
            if !String(decoding: request.body, as: UTF8.self).hasPrefix("token=good") { await door.wait() }
            return FetchResponse(status: .ok, body: body)
        }
        await withTaskGroup(of: Refusal?.self) { group in
            for number in 0..<1000 {
                group.addTask { await resource.refusal(of: .get("/mcp", bearer: "t\(number)")) }
            }
            for _ in 0..<10_000 where fetcher.requests.count < 1 + 3 { await Task.yield() }
            #expect(fetcher.requests.count == 1 + 3)
            #expect(await ask(resource, ["good"]) == [nil])
            door.open()
            for await refusal in group { #expect(refusal == nil) }
        }
    }
}
