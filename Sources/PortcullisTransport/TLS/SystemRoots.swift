// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Synchronization

/// The certificate authorities of the system, read for the first check of a server's certificate, then shared
/// by all clients that existed at that time.
///
/// Reading them takes tens of milliseconds and more than a megabyte, and many processes never need them. A
/// client made later, as after a configuration reload, has them read again, because they may have changed.
package final class SystemRoots: Sendable {
    /// The roots that all clients of the process share.
    package static let shared = SystemRoots { () throws(TLSError) in try TrustStore.system() }

    private let read: @Sendable () throws(TLSError) -> TrustStore
    /// Outside the event loops; serial, so that two clients do not read the roots twice.
    private let queue = DispatchQueue(label: "portcullis.roots")
    private let known = Mutex<(store: TrustStore, instant: MonotonicInstant)?>(nil)

    /// Makes roots that `read` reads; it may block its thread.
    package init(reading read: @escaping @Sendable () throws(TLSError) -> TrustStore) {
        self.read = read
    }

    /// Passes the roots to a closure on the queue, one caller at a time.
    ///
    /// Does not store a failure: the next caller has them read again.
    ///
    /// - Parameter earliest: Roots that were read before this instant are read again.
    func whenRead(
        notBefore earliest: MonotonicInstant,
        _ take: @escaping @Sendable (Result<TrustStore, TLSError>) -> Void
    ) {
        queue.async { [self] in
            take(
                Result { () throws(TLSError) in
                    if let known = known.withLock({ $0 }), known.instant >= earliest { return known.store }
                    let instant = MonotonicInstant.now()
                    let store = try read()
                    known.withLock { $0 = (store, instant) }
                    return store
                })
        }
    }
}
