// SPDX-License-Identifier: MIT

import PortcullisJOSE

// After a signature that did not verify: the other keys that fit the token, then keys that the issuer has
// published since. One token costs at most `JWKSet.maximumCandidateCount` checks and one fetch, however its
// header is chosen.

extension Admission {
    /// Continues after a failed check: with the next key that fits, or after a fetch of newer keys.
    ///
    /// RFC 7515 Appendix D, RFC 7517 §4.5.
    mutating func tryAnotherKey(
        than key: JWK, _ validation: Validation
    ) throws(RefusalReason) -> Turn {
        validation.failedKeys.append(key.thumbprint)
        if let next = validation.otherKeys.popFirst() {
            validation.key = next
            if isHypothetical { return try verify(validation) }
            // Each check waits for its own share of the processor's time.
            hasSignatureTime = false
            return lack(.signatureTime)
        }
        // Keys that were fetched for this token are the newest.
        guard !isHypothetical, validation.askedForKeys == nil,
            validation.failedKeys.count < JWKSet.maximumCandidateCount,
            let keys = validation.connection?.keys,
            let lack = keys.renewal(since: validation.generation, at: gate.validator.time.uptime())
        else { throw Self.reason(afterLastKeyOf: validation) }
        return self.lack(validation.ask(for: lack, of: keys))
    }

    /// Continues with the keys that fit after a fetch, except those that have been tried.
    mutating func takeNewerKeys(_ validation: Validation) throws(RefusalReason) -> Turn {
        guard let algorithm = validation.algorithm, let keys = validation.connection?.keys else {
            throw .keysUnavailable
        }
        let search = try? keys.key(
            validation.jwt?.jws.header.keyID, algorithm, at: gate.validator.time.uptime(),
            after: validation.askedForKeys, validation.keyOutcome)
        let fitting: [JWK]
        switch search {
        case .found(let key, let generation): (fitting, validation.generation) = ([key], generation)
        case .several(let several, _, let generation):
            (fitting, validation.generation) = (several, generation)
        case .lacking, nil: fitting = []
        }
        var untried = fitting.filter { !validation.failedKeys.contains($0.thumbprint) }[...]
        guard let next = untried.popFirst() else { throw Self.reason(afterLastKeyOf: validation) }
        validation.key = next
        validation.otherKeys = untried.prefix(
            JWKSet.maximumCandidateCount - validation.failedKeys.count - 1)
        hasSignatureTime = false
        return lack(.signatureTime)
    }

    private static func reason(afterLastKeyOf validation: Validation) -> RefusalReason {
        // One of the keys that were not tried might verify it.
        validation.hasUntriedKeys ? .ambiguousKey : .invalidSignature
    }
}
