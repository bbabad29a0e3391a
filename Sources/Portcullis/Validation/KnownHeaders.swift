// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

/// Caches the parsed headers of verified tokens: all tokens of one key share the same header.
///
/// Only headers with a valid signature are stored, so that an attacker without a key can't evict entries.
///
/// RFC 7515 §4.
final class KnownHeaders: Sendable {
    /// The capacity: more than issuers rotate between, and few enough for a linear search.
    static let capacity = 8

    private struct State {
        var known: [(part: [UInt8], header: JOSEHeader)] = []
        var oldest = 0
    }

    private let state = Mutex(State())

    /// Returns the cached header of a token, or `nil`.
    func header(of token: [UInt8]) -> JOSEHeader? {
        state.withLock { state in
            state.known.first { CompactJWS.token(token, beginsWith: $0.part) }?.header
        }
    }

    /// Stores the header of a verified token, replacing the oldest if the cache is full.
    func insert(_ jws: CompactJWS) {
        let part = jws.headerPart
        state.withLock { state in
            // Two tokens of one key may have been verified concurrently.
            guard !state.known.contains(where: { $0.part == part }) else { return }
            guard state.known.count == Self.capacity else {
                return state.known.append((part, jws.header))
            }
            state.known[state.oldest] = (part, jws.header)
            state.oldest = (state.oldest + 1) % Self.capacity
        }
    }
}
