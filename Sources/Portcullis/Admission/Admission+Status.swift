// SPDX-License-Identifier: MIT

// The step that looks a token up in the status list that it names, at each use of the token: the issuer may have
// withdrawn it since. It comes after all other checks of the token, so that no other token causes a fetch.
// draft-ietf-oauth-status-list §8.3.

extension Admission {
    mutating func checkStatus() throws(RefusalReason) -> Turn {
        guard let status = token?.storage.status else { return .irrelevant }
        let now = gate.validator.time.uptime()
        if status.isKnownGood(at: now) { return .passed }
        switch status.judge(at: now) {
        case .good: return .passed
        case .refused(let reason): throw reason
        case .lacking(let question, let reason):
            guard hasStatusList else { return lack(.statusList(question)) }
            // Nothing is known of the token; an operator may prefer to accept it.
            guard reason == .statusListUnavailable, status.failsOpen else { throw reason }
            status.reportUnchecked()
            return .passed
        }
    }
}
