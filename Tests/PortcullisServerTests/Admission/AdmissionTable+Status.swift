// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisStatusList
import PortcullisTesting

extension AdmissionTable {
    private static func play(
        _ name: String, _ use: StatusListPolicy.Use = .honour,
        _ adjust: @escaping @Sendable (inout StatusListPolicy) -> Void = { _ in },
        _ play: @escaping AdmissionCase.Play
    ) -> AdmissionCase {
        AdmissionCase(
            name,
            { declaration, _ in
                declaration.issuers[0].statusLists = StatusListPolicy(use, inflatingWith: ZlibInflater())
                adjust(&declaration.issuers[0].statusLists)
            }, play: play)
    }

    /// Sends a token with a place in the list twice.
    private static func sendTwice(_ scene: AdmissionScene) async throws {
        try await scene.bearerTwice(scene.stage.mint(claims: scene.stage.list.claims(at: 7)))
    }

    /// draft-ietf-oauth-status-list §8.3: tokens that their issuer can withdraw.
    static let statuses: [AdmissionCase] = [
        play("admitted-by-a-status-list") { try await sendTwice($0) },
        play("admitted-without-a-status") { try await $0.bearer($0.stage.mint()) },
        play("admitted-although-its-status-is-off", .off) {
            $0.stage.list.revoke(7)
            try await sendTwice($0)
        },
        play("admitted-although-the-list-fails", .honour, { $0.failsOpen = true }) {
            $0.stage.list.fault = .status(500)
            try await sendTwice($0)
        },
        play("revoked-token") {
            $0.stage.list.revoke(7)
            try await sendTwice($0)
        },
        play("suspended-token") {
            $0.stage.list.suspend(7)
            try await sendTwice($0)
        },
        play("unaccepted-status") {
            $0.stage.list.set(3, at: 7)
            try await sendTwice($0)
        },
        play("status-out-of-range") {
            try await $0.bearerTwice($0.stage.mint(claims: $0.stage.list.claims(at: 1024)))
        },
        play("malformed-status") { try await $0.bearerTwice($0.stage.mint(claims: ["status": "good"])) },
        play("missing-status", .required) { try await $0.bearerTwice($0.stage.mint()) },
        play("unsupported-status") {
            try await $0.bearerTwice($0.stage.mint(claims: ["status": ["other": [:]]]))
        },
        play("forbidden-status-list") {
            let elsewhere: JSONValue = ["idx": 1, "uri": "https://169.254.169.254/latest"]
            try await $0.bearerTwice($0.stage.mint(claims: ["status": ["status_list": elsewhere]]))
        },
        play("status-list-unavailable") {
            $0.stage.list.fault = .status(500)
            try await sendTwice($0)
        },
        play("status-list-unavailable-without-an-inflater", .honour, { $0.inflater = nil }) {
            try await sendTwice($0)
        },
        // The token is judged before its list is fetched, and its list before the route's scopes.
        play("expired-token-with-a-revoked-status") {
            $0.stage.list.revoke(7)
            var claims = $0.stage.list.claims(at: 7)
            claims["exp"] = 1
            try await $0.bearer($0.stage.mint(claims: claims))
        },
        play("revoked-token-without-the-scope") {
            $0.stage.list.revoke(7)
            try await $0.bearer($0.stage.mint(scope: "other", claims: $0.stage.list.claims(at: 7)))
        },
    ]
}
