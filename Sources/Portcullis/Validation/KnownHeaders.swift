// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

/// The headers of tokens that were verified: each is the same for all tokens of one key, so that it is read once.
///
/// Only what came with a good signature is kept, so that nobody without a key can push anything out.
///
/// RFC 7515 §4.
final class KnownHeaders: Sendable {
    /// How many are kept: more than issuers rotate between, and few enough to be compared one by one.
    static let capacity = 8

    private struct State {
        var known: [(part: [UInt8], header: JOSEHeader)] = []
        var oldest = 0
    }

    private let state = Mutex(State())

    /// The header of a token, if it was read before.
    func header(of token: [UInt8]) -> JOSEHeader? {
        state.withLock { state in
            state.known.first { CompactJWS.token(token, beginsWith: $0.part) }?.header
        }
    }

    /// Keeps the header of a verified token, in the place of the oldest if there is no room.
    func insert(_ jws: CompactJWS) {
        let part = jws.headerPart
        state.withLock { state in
            // Two tokens of one key may have been verified at a time.
            guard !state.known.contains(where: { $0.part == part }) else { return }
            guard state.known.count == Self.capacity else {
                return state.known.append((part, jws.header))
            }
            state.known[state.oldest] = (part, jws.header)
            state.oldest = (state.oldest + 1) % Self.capacity
        }
    }
}
