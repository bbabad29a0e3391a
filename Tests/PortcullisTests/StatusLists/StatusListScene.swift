// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisStatusList
import PortcullisTesting
import Testing

/// A resource whose issuer withdraws tokens by a status list.
struct StatusListScene {
    static let identifier = "https://api.example.com/notes"

    let clock = ManualClock()
    let events = EventLog()
    let issuer: TestIssuer
    let lists: TestStatusListIssuer
    let resource: ProtectedResource

    init(
        bits: Int = 2, count: Int = 1024, timeToLive: Duration? = .seconds(300),
        lifetime: Duration? = .seconds(1_000_000), use: StatusListPolicy.Use = .honour,
        _ adjust: (inout TrustedIssuer) -> Void = { _ in }
    ) {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        lists = TestStatusListIssuer(
            of: issuer, bits: bits, count: count, timeToLive: timeToLive, lifetime: lifetime)
        var trusted = lists.trusted(inflatingWith: ZlibInflater(), use: use)
        adjust(&trusted)
        let events = events
        resource = ProtectedResource(
            "https://api.example.com/notes", trusting: trusted, scopes: ["notes:read"],
            time: clock.time, onEvent: { events.append($0) })
    }

    /// A token with a place in the list; it lives longer than any test.
    func token(at index: Int) -> String { token(lists.claims(at: index)) }

    func token(_ claims: JSONObject) -> String {
        issuer.mint(audience: Self.identifier, lifetime: .seconds(2_000_000), claims: claims)
    }

    /// A token whose claim `status` is this value.
    func token(status: JSONValue) -> String { token(["status": status]) }

    func refusal(of token: String) async -> Refusal? {
        await resource.refusal(of: .get("/notes", bearer: token))
    }

    func reason(_ token: String) async -> RefusalReason? { await refusal(of: token)?.reason }

    /// Advances the clock, and does what the timer does then.
    func pass(_ duration: Duration) async {
        clock.advance(by: duration)
        await resource.refreshDueStatusLists()
    }

    var fetchCount: Int { lists.requests.count }

    var kinds: [String] { events.all.map(\.kind) }

    /// The faults of the lists, without the URL.
    var faults: [AuthorizationServerFault] {
        events.all.compactMap { event in
            if case .statusListFailed(_, let fault) = event { fault.cause } else { nil }
        }
    }
}
