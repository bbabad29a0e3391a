// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

extension AdmissionTable {
    private static let fresh = AccessRequirement("notes:read").freshlyIntrospected()

    private static func shared(_ name: String, _ play: @escaping AdmissionCase.Play) -> AdmissionCase {
        AdmissionCase(name) { declaration, stage in
            declaration.introspect()
            declaration.issuers[0].introspection?.sharedCache = stage.sharedCache
        } play: {
            try await play($0)
        }
    }

    private static func hash(_ token: String) -> [UInt8] { Digest.sha256(Array(token.utf8)).bytes }

    /// RFC 7662 §4: what is cached about tokens, how long, and what ends it.
    static let memory: [AdmissionCase] = [
        AdmissionCase("known-opaque-until-its-answer-is-old") { declaration, _ in
            declaration.introspect()
        } play: {
            let token = $0.stage.opaque()
            try await $0.bearer(token)
            $0.stage.introspect(["active": false])
            $0.stage.clock.advance(by: .seconds(29))
            try await $0.bearer(token)
            $0.stage.clock.advance(by: .seconds(1))
            try await $0.bearer(token)
        },
        AdmissionCase("known-jwt-until-the-keys-change") { declaration, _ in
            declaration.fetchKeys()
        } play: {
            let token = $0.stage.mint()
            try await $0.bearer(token)
            let next = TestIssuer(AdmissionStage.issuerName, keyID: "test-2", time: $0.stage.clock.time)
            $0.stage.publish([next.key.publicKey])
            $0.stage.clock.advance(by: .seconds(31))
            try await $0.bearer(token)
            try await $0.bearer($0.stage.mint("token by the next key", by: next))
            try await $0.bearer(token)
        },
        AdmissionCase("known-jwt-when-memory-is-full") { declaration, _ in
            declaration.tokens.verifiedCacheEntryCount = 1
        } play: {
            let (first, second) = ($0.stage.mint("first token"), $0.stage.mint("second token"))
            for token in [first, first, second, first, second, second, first] {
                try await $0.bearer(token)
            }
        },
        AdmissionCase("known-opaque-when-memory-is-full") { declaration, _ in
            declaration.introspect()
            declaration.tokens.verifiedCacheEntryCount = 1
        } play: {
            let (first, second) = ($0.stage.opaque("first token"), $0.stage.opaque("second token"))
            for token in [first, second, second, first] { try await $0.bearer(token) }
        },
        AdmissionCase("known-opaque-not-where-answers-are-not-kept") { declaration, _ in
            declaration.introspect()
            declaration.tokens.introspectionCacheLifetime = .zero
            declaration.tokens.inactiveCacheLifetime = .zero
        } play: {
            try await $0.bearerTwice($0.stage.opaque())
            $0.stage.introspect(["active": false])
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("known-opaque-not-with-a-large-answer") { declaration, _ in
            declaration.introspect()
        } play: {
            $0.stage.introspectActive(["extension": .string(String(repeating: "x", count: 66_000))])
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("known-opaque-refused-for-its-scope") { declaration, _ in
            declaration.introspect()
            declaration.requirement = "notes:write"
        } play: {
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("known-opaque-refused-for-its-binding") { declaration, _ in
            declaration.introspect()
        } play: {
            $0.stage.introspectActive(["cnf": ["jkt": .string($0.stage.client.thumbprint)]])
            try await $0.bearerTwice($0.stage.opaque())
        },
        AdmissionCase("known-opaque-until-invalidated") { declaration, _ in
            declaration.introspect()
        } play: {
            let token = $0.stage.opaque()
            try await $0.bearer(token)
            $0.resource.invalidate(token)
            try await $0.bearer(token)
            $0.resource.invalidate(subject: "user-1")
            try await $0.bearer(token)
            $0.resource.invalidateAllTokens()
            try await $0.bearer(token)
        },
        AdmissionCase("known-opaque-not-if-invalidated-meanwhile") { declaration, _ in
            declaration.introspect()
        } play: { scene in
            let token = scene.stage.opaque()
            let resource = scene.resource
            let body = JSONValue.object(AdmissionStage.active).serialized()
            scene.stage.network.on(AdmissionStage.endpoint) { _ in
                resource.invalidate(token)
                return FetchResponse(status: .ok, body: body)
            }
            try await scene.bearerTwice(token)
        },
        AdmissionCase("inactive-opaque-not-if-invalidated-meanwhile") { declaration, _ in
            declaration.introspect()
        } play: { scene in
            let token = scene.stage.opaque()
            let resource = scene.resource
            let body = JSONValue.object(["active": false]).serialized()
            scene.stage.network.on(AdmissionStage.endpoint) { _ in
                resource.invalidate(token)
                return FetchResponse(status: .ok, body: body)
            }
            try await scene.bearerTwice(token)
        },
        AdmissionCase("known-opaque-forgotten-with-a-fresh-refusal") { declaration, _ in
            declaration.introspect()
        } play: {
            let token = $0.stage.opaque()
            try await $0.bearer(token)
            $0.stage.network.on(AdmissionStage.endpoint, status: .internalServerError)
            try await $0.bearer(token, requiring: fresh)
            try await $0.bearer(token)
            $0.stage.introspect(["active": false])
            try await $0.bearer(token, requiring: fresh)
            try await $0.bearer(token)
        },
        AdmissionCase("rejected-opaque-also-where-freshness-is-wanted") { declaration, _ in
            declaration.introspect()
        } play: {
            let token = $0.stage.opaque()
            $0.stage.introspect(["active": false])
            try await $0.bearer(token)
            $0.stage.introspect(AdmissionStage.active)
            try await $0.bearer(token, requiring: fresh)
            $0.stage.clock.advance(by: .seconds(5))
            try await $0.bearer(token, requiring: fresh)
        },
        shared("shared-answer-that-another-left") {
            let token = $0.stage.opaque()
            let answer = IntrospectedAnswer(
                members: AdmissionStage.active, age: .zero, lifetime: .seconds(30))
            $0.stage.sharedCache.fill(hash(token), answer)
            try await $0.bearerTwice(token)
        },
        shared("shared-answer-that-a-token-is-inactive") {
            let token = $0.stage.opaque()
            let answer = IntrospectedAnswer(
                members: ["active": false], age: .zero, lifetime: .seconds(5))
            $0.stage.sharedCache.fill(hash(token), answer)
            $0.stage.clock.advance(by: .seconds(3))
            try await $0.bearerTwice(token)
            $0.stage.clock.advance(by: .seconds(2))
            try await $0.bearer(token)
        },
        shared("shared-answer-for-a-fresh-question") {
            let token = $0.stage.opaque()
            try await $0.bearer(token)
            try await $0.bearer(token, requiring: fresh)
        },
        shared("shared-answer-left-for-others") { try await $0.bearerTwice($0.stage.opaque()) },
        shared("shared-answer-inactive-left-for-others") {
            $0.stage.introspect(["active": false])
            try await $0.bearerTwice($0.stage.opaque())
        },
        shared("shared-cache-unavailable") {
            $0.stage.sharedCache.becomeUnavailable()
            try await $0.bearerTwice($0.stage.opaque())
        },
    ]
}
