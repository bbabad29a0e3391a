// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Synchronization

/// The certificate authorities of the system, read when somebody first has to check a server's certificate, and then kept for all
/// who were there by that time.
///
/// To read them takes tens of milliseconds and more than a megabyte, and many a process never needs them. Whoever is made later, as
/// the clients of a new configuration are, has them read anew, since they may be others by then.
package final class SystemRoots: Sendable {
    /// Those that all clients of the process share.
    package static let shared = SystemRoots { () throws(TLSError) in try TrustStore.system() }

    private let read: @Sendable () throws(TLSError) -> TrustStore
    /// Away from the loops; serial, so that two that need them at once do not read them twice.
    private let queue = DispatchQueue(label: "portcullis.roots")
    private let known = Mutex<(store: TrustStore, instant: MonotonicInstant)?>(nil)

    /// Makes roots that are read by `read`, which may hold its thread.
    package init(reading read: @escaping @Sendable () throws(TLSError) -> TrustStore) {
        self.read = read
    }

    /// Hands the roots over on the queue, one caller after the other.
    ///
    /// A failure is not kept: the next caller has them read again.
    ///
    /// - Parameter earliest: Roots that were read before are read anew.
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
