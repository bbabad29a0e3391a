// SPDX-License-Identifier: MIT

import PortcullisTransport

/// Keys that have to be fetched.
package struct KeyQuestion: Sendable {
    /// What is lacking.
    enum Lack: Sendable, Hashable {
        /// There are no keys that can be used.
        case keys
        /// There are keys, of this generation, and none of them is the token's.
        case newerKeys(than: UInt64)
    }

    /// Whether the issuer could be asked.
    package enum Outcome: Sendable {
        case asked, failed
    }

    let keys: KeyStore
    let lack: Lack

    /// Has the keys fetched, and calls a closure once: on the event loop that this is called on, elsewhere on any thread.
    package func ask(_ finish: @escaping @Sendable (Outcome) -> Void) {
        keys.obtain(lack, then: EventLoop.returning(finish))
    }
}
