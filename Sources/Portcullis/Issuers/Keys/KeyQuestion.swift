// SPDX-License-Identifier: MIT

import PortcullisTransport

/// A request to fetch keys.
package struct KeyQuestion: Sendable {
    /// The reason for fetching.
    enum Lack: Sendable, Hashable {
        /// There are no usable keys.
        case keys
        /// The keys of this generation do not include the token's.
        case newerKeys(than: UInt64)
    }

    /// Whether the fetch succeeded.
    package enum Outcome: Sendable {
        /// The keys were fetched.
        case asked
        /// The keys could not be fetched.
        case failed
    }

    let keys: KeyStore
    let lack: Lack

    /// Fetches the keys, and calls a closure once: on the caller's event loop, or on any thread if the caller
    /// runs on none.
    package func ask(_ finish: @escaping @Sendable (Outcome) -> Void) {
        keys.obtain(lack, then: EventLoop.returning(finish))
    }
}
