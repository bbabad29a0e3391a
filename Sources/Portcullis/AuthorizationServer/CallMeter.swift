// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization

/// The duration of calls to one authorization server, by kind and outcome.
package final class CallMeter: Sendable {
    /// What a call asks for.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case metadata, keys, introspection
        case statusList = "status_list"
    }

    /// What a call ended with, before its content was judged.
    package enum Outcome: String, Sendable, Hashable, CaseIterable {
        /// A response with status 200.
        case ok
        /// A response with another status.
        case status
        /// No response in time.
        case timeout
        /// A certificate that is not trusted, or no TLS.
        case tls
        /// No usable response for another reason.
        case failed

        init(_ outcome: ServerAccess.Outcome) {
            switch outcome {
            case .success: self = .ok
            case .failure(.status), .failure(.redirect): self = .status
            case .failure(.noResponse(let error)): self.init(error.kind)
            case .failure: self = .failed
            }
        }
        private init(_ error: FetchError) {
            switch error {
            case .timedOut: self = .timeout
            case .untrustedServer: self = .tls
            default: self = .failed
            }
        }
    }

    /// A kind and an outcome: at most twenty.
    package struct Series: Sendable, Hashable {
        package let kind: Kind
        package let outcome: Outcome
    }

    private let durations = Mutex<[Series: DurationHistogram]>([:])

    /// The calls so far.
    package var snapshot: [Series: DurationHistogram] { durations.withLock { $0 } }

    func record(_ kind: Kind, _ outcome: Outcome, _ duration: Duration) {
        durations.withLock { $0[Series(kind: kind, outcome: outcome), default: .init()].add(duration) }
    }

    /// Returns a closure that records a call that begins now, and passes its outcome on.
    func measuring(
        _ kind: Kind, then finish: @escaping @Sendable (ServerAccess.Outcome) -> Void
    ) -> @Sendable (ServerAccess.Outcome) -> Void {
        let start = MonotonicInstant.now()
        return { outcome in
            self.record(kind, Outcome(outcome), .now() - start)
            finish(outcome)
        }
    }
}
