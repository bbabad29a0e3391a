// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// The place of one access token in a status list, which is consulted at each use of the token.
///
/// A token that was good in the version of the lists of the moment is good until they change: its use then
/// costs three atomic reads, without a lock.
///
/// draft-ietf-oauth-status-list §8.3.
final class TokenStatus: Sendable {
    /// What the list says.
    enum Verdict: Sendable {
        case good
        case refused(RefusalReason)
        /// The list, or a newer one, must be loaded; if it can't be, the token is refused for this reason.
        case lacking(StatusListQuestion, RefusalReason)
    }

    /// Why the claim can't be followed; `nil` if it can.
    private let fault: RefusalReason?
    private let index: Int
    private let question: StatusListQuestion
    private let validValues: Set<UInt8>
    /// Whether the token is accepted while nothing is known of it.
    let failsOpen: Bool
    /// The version of the lists in which the token was found good; 0 for none.
    private let approved = Atomic<UInt64>(0)

    /// Makes the status of a token whose claim can't be followed, or names a list.
    init(
        _ question: StatusListQuestion, index: Int, _ policy: StatusListPolicy, fault: RefusalReason? = nil
    ) {
        self.question = question
        self.index = index
        self.fault = fault
        validValues = policy.validValues
        failsOpen = policy.failsOpen
    }

    /// Whether the token was found good in the lists as they are.
    @inline(__always)
    func isKnownGood(at now: MonotonicInstant) -> Bool {
        let lists = question.lists
        return approved.load(ordering: .relaxed) == lists.version.load(ordering: .acquiring)
            && now.nanoseconds < lists.firstEnd.load(ordering: .relaxed)
    }

    /// Looks the token up in its list.
    func judge(at now: MonotonicInstant) -> Verdict {
        if let fault { return .refused(fault) }
        let lists = question.lists
        // Read before the list: a list that replaces it meanwhile has a later version.
        let version = lists.version.load(ordering: .acquiring)
        switch lists.look(question.list, index, at: now) {
        case .value(let value):
            guard validValues.contains(value) else { return .refused(Self.reason(for: value)) }
            approved.store(version, ordering: .relaxed)
            return .good
        case .outOfRange(let mayHaveGrown):
            return mayHaveGrown
                ? .lacking(question, .statusOutOfRange) : .refused(.statusOutOfRange)
        case .unknown: return .lacking(question, .statusListUnavailable)
        }
    }

    /// Whether the token is accepted by the list at hand, or without one.
    func admits(at now: MonotonicInstant) -> Bool {
        switch judge(at: now) {
        case .good: true
        case .refused: false
        case .lacking(_, let reason): reason == .statusListUnavailable && failsOpen
        }
    }

    /// Reports that the token is accepted although its list is unavailable.
    func reportUnchecked() { question.source.reportUncheckedToken() }

    /// draft-ietf-oauth-status-list §7.1: 3 and 12 to 15 belong to applications, all others are reserved.
    private static func reason(for value: UInt8) -> RefusalReason {
        switch value {
        case 1: .revokedToken
        case 2: .suspendedToken
        default: .unacceptedStatus
        }
    }
}

/// A request to load a list.
package struct StatusListQuestion: Sendable {
    let list: StatusListKey
    let lists: StatusListCache
    let source: any StatusListSource
}

/// Fetches the lists of one issuer.
protocol StatusListSource: AnyObject, Sendable {
    /// Fetches a list, verifies it and checks its claims.
    func fetch(_ uri: String) async throws(AuthorizationServerFault) -> StatusListToken
    func report(_ incident: StatusListIncident)
    func reportUncheckedToken()
}

/// What an operator should know about a list.
enum StatusListIncident: Sendable, Hashable {
    /// Loaded for the first time, or changed.
    case loaded(entryCount: Int)
    case failed(AuthorizationServerFault)
    /// No more lists are kept.
    case refused
}
