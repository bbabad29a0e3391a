// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

@Suite("AuthZEN 1.0 §5, §6 Decisions of the app", .timeLimit(.minutes(1)))
struct ExternalDecisionTests {
    private let scene = Scene()

    private func refusal(_ decision: ExternalDecision, _ target: String = "/notes") async -> Refusal? {
        await scene.resource.refusal(
            of: .get(target, bearer: scene.mint()),
            requiring: AccessRequirement("notes:read").decided(by: decision))
    }

    @Test func `§6.1: the question has AuthZEN's shape`() async throws {
        let asked = Mutex<[JSONObject]>([])
        let decision = ExternalDecision { question in
            asked.withLock { $0.append(question.json) }
            return .permit
        }
        #expect(await refusal(decision, "/notes/%61?secret=1") == nil)
        let question = try #require(asked.withLock { $0.first })
        #expect(question["subject"]?.object?["type"] == "user")
        #expect(question["subject"]?.object?["id"] == "user-1")
        let properties = question["subject"]?.object?["properties"]?.object
        #expect(properties?["issuer"] == "https://as.example.com")
        #expect(properties?["scopes"] == ["notes:read"])
        #expect(properties?["claims"]?.object?["sub"] == "user-1")
        #expect(question["action"] == ["name": "GET"])
        #expect(
            question["resource"]
                == [
                    "type": "route", "id": "/notes/a",
                    "properties": ["resource": .string(Scene.identifier)],
                ])
        #expect(question["context"] == nil)
    }

    @Test(arguments: [
        (#"{"decision":true}"#, true), (#"{"decision":false}"#, false),
        (#"{"decision":true,"context":{}}"#, true),
        (#"{"decision":true,"context":null}"#, true),
    ])
    func `§6.2: an answer is a boolean`(text: String, decision: Bool) throws {
        let json = try #require(JSONValue.parse(Array(text.utf8)).object)
        #expect(AccessEvaluationResponse(json)?.decision == decision)
    }

    @Test(arguments: [
        "{}", #"{"decision":"true"}"#, #"{"decision":1}"#, #"{"decision":null}"#,
        #"{"decision":true,"context":[]}"#, #"{"Decision":true}"#,
    ])
    func `§6.2: anything else is no answer`(text: String) throws {
        let json = try #require(JSONValue.parse(Array(text.utf8)).object)
        #expect(AccessEvaluationResponse(json) == nil)
    }

    @Test func `a denial is 403 without a challenge, and only the operator learns why`() async throws {
        let refusal = try #require(await refusal(ExternalDecision { _ in .deny("office is closed") }))
        expectRefused(refusal, .deniedByDecision)
        #expect(refusal.status == .forbidden && refusal.challenges.isEmpty)
        #expect(!String(decoding: refusal.body, as: UTF8.self).contains("office"))
        let explanation = await scene.resource.explain(
            .get("/notes", bearer: scene.mint()),
            requiring: AccessRequirement.anyValidToken.decided(
                by: ExternalDecision { _ in .deny("office is\nclosed") }))
        #expect(explanation.failedStep?.name == "decision of the app")
        #expect(explanation.failedStep?.got == "a denial: office is\\u{a}closed")
    }

    @Test func `an answer that comes too late is not used`() async {
        let isCancelled = Mutex(false)
        let decision = ExternalDecision(timeout: .milliseconds(20)) { _ in
            do {
                try await Task.sleep(for: .seconds(60))
            } catch {
                isCancelled.withLock { $0 = true }
            }
            return .permit
        }
        let refusal = await refusal(decision)
        expectRefused(refusal, .decisionUnavailable)
        #expect(await isSoon { isCancelled.withLock { $0 } })
    }

    @Test func `a decision that ignores its cancellation delays nobody beyond the timeout`() async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let decision = ExternalDecision(timeout: .milliseconds(20)) { _ in
            await Task { for await _ in stream { break } }.value
            return .permit
        }
        let start = ContinuousClock.now
        expectRefused(await refusal(decision), .decisionUnavailable)
        #expect(start.duration(to: .now) < .seconds(10))
        continuation.finish()
    }

    @Test func `the app is asked last, and not about requests that are refused`() async {
        let count = Mutex(0)
        let decision = ExternalDecision { _ in
            count.withLock { $0 += 1 }
            return .permit
        }
        let requirement = AccessRequirement("notes:write").decided(by: decision)
            .holding(ClaimCondition("/sub", equals: "user-1"))
        for token in [scene.mint(), "nonsense", scene.mint(scope: "notes:write", claims: ["sub": "user-2"])] {
            #expect(
                await scene.resource.refusal(of: .get("/notes", bearer: token), requiring: requirement) != nil
            )
        }
        _ = await scene.resource.explain(
            .get("/notes", bearer: scene.mint()), requiring: requirement, judgingAllSteps: true)
        #expect(count.withLock { $0 } == 0)
        let token = scene.mint(scope: "notes:write")
        for _ in 0..<2 {
            #expect(
                await scene.resource.refusal(of: .get("/notes", bearer: token), requiring: requirement) == nil
            )
        }
        #expect(count.withLock { $0 } == 2)
    }
}

/// Whether a condition holds within five seconds.
private func isSoon(_ condition: @Sendable () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(5)
    while !condition() {
        guard ContinuousClock.now < end else { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}
