// SPDX-License-Identifier: MIT

package import PortcullisJOSE
import Synchronization

/// Where the nonces of a resource come from.
///
/// RFC 9449 §9.
package protocol NonceSource: Sendable {
    /// The nonce to hand out.
    func nonce(at now: NumericDate) -> String
    /// When a nonce was handed out and how long it is accepted, or `nil` if it is not accepted.
    func validity(of nonce: String, at now: NumericDate) -> NonceValidity?
}

/// The times of a nonce that is accepted.
package struct NonceValidity: Sendable {
    /// It was handed out at this moment or later.
    package let issuedSince: NumericDate
    /// It is accepted until this moment.
    package let until: NumericDate

    package init(issuedSince: NumericDate, until: NumericDate) {
        self.issuedSince = issuedSince
        self.until = until
    }
}

/// Makes and recognises the nonces of one resource, without remembering any.
///
/// Time is cut into windows. A nonce is the number of its window, sealed; it is taken in its own window and the next
/// one. That of the window to come is taken too, since a server that shares the keys may have a clock that is ahead.
///
/// RFC 9449 §8, §9.
package final class NonceSealer: NonceSource {
    private struct RingKey {
        let key: SealingKey
        /// When this process made it; `nil` for one that was given.
        var madeAt: Double?
        /// From when on no nonce is accepted that was sealed with it; `nil` while it seals new ones.
        var retiresAt: Double?
    }

    /// A nonce that is accepted in a window.
    private struct Accepted {
        let nonce: [UInt8]
        let validity: NonceValidity
    }

    private struct State {
        /// The first one seals; all of them are recognised.
        var ring: [RingKey]
        /// When the first one was made here; `nil` for one that was given.
        var madeAt: Double? { ring.first?.madeAt }
        var window: Double = -.infinity
        /// The nonces that are accepted in ``window``, the one to hand out first.
        var accepted: [Accepted] = []
        var current = ""

        /// Goes on with keys that were made here; given ones stay, and those before them count until their nonces have run out.
        mutating func inherit(from earlier: State, _ lifetime: Double, _ now: NumericDate) {
            window = -.infinity
            if madeAt != nil, earlier.madeAt != nil {
                ring = earlier.ring
                return
            }
            let end = now.seconds + 2 * lifetime
            for old in earlier.ring where !ring.contains(where: { $0.key.equals(old.key) }) {
                ring.append(
                    RingKey(key: old.key, madeAt: old.madeAt, retiresAt: min(old.retiresAt ?? end, end)))
            }
        }
    }

    /// How long a key that was made here seals.
    static let keyLifetime = 86_400.0

    private let lifetime: Double
    private let context: [UInt8]
    private let state: Mutex<State>

    /// Makes a sealer for a resource.
    ///
    /// - Parameters:
    ///   - keys: The keys, the one that seals first; none to make one here.
    ///   - previous: The sealer that this one follows, whose nonces count until they would have run out.
    package init(
        _ resource: String, lifetime: Duration, keys: [SealingKey], at now: NumericDate,
        succeeding previous: NonceSealer? = nil
    ) {
        let (seconds, attoseconds) = lifetime.components
        let lifetime = Double(seconds) + Double(attoseconds) * 1e-18
        self.lifetime = lifetime
        context = Array("DPoP-Nonce \(resource) ".utf8)
        var state = State(ring: keys.map { RingKey(key: $0) })
        if keys.isEmpty {
            state.ring = [RingKey(key: .random(), madeAt: now.seconds)]
        }
        if let earlier = previous?.state.withLock({ $0 }) { state.inherit(from: earlier, lifetime, now) }
        self.state = Mutex(state)
    }

    /// Goes on with the keys of an earlier sealer of the same resource, whose nonces count until they would have run out.
    func inherit(from other: NonceSealer, at now: NumericDate) {
        guard other !== self else { return }
        let earlier = other.state.withLock { $0 }
        state.withLock { $0.inherit(from: earlier, lifetime, now) }
    }

    package func nonce(at now: NumericDate) -> String {
        state.withLock { state in
            refresh(&state, at: now)
            return state.current
        }
    }

    package func validity(of nonce: String, at now: NumericDate) -> NonceValidity? {
        let nonce = Array(nonce.utf8)
        return state.withLock { state in
            refresh(&state, at: now)
            // All are compared, so that the time does not tell which one it was like.
            return state.accepted.reduce(nil) { found, accepted in
                ConstantTime.equals(accepted.nonce, nonce) ? found ?? accepted.validity : found
            }
        }
    }

    private func refresh(_ state: inout State, at now: NumericDate) {
        let window = (now.seconds / lifetime).rounded(.down)
        guard window != state.window else { return }
        // The clock was set back: nonces of the time to come are out already, and a proof with one must not be accepted then.
        let wasSetBack = window < state.window - 1
        state.window = window
        state.ring.removeAll { $0.retiresAt.map { $0 <= now.seconds } ?? false }
        if let madeAt = state.madeAt {
            if wasSetBack {
                state.ring.removeAll { $0.madeAt != nil }
                state.ring.insert(RingKey(key: .random(), madeAt: now.seconds), at: 0)
            } else if now.seconds - madeAt >= max(Self.keyLifetime, 4 * lifetime) {
                state.ring[0].retiresAt = now.seconds + 2 * lifetime
                state.ring.insert(RingKey(key: .random(), madeAt: now.seconds), at: 0)
            }
        }
        state.accepted = state.ring.flatMap { entry in
            [window, window - 1, window + 1].map { accepted($0, entry) }
        }
        state.current = String(decoding: state.accepted[0].nonce, as: UTF8.self)
    }

    private func accepted(_ window: Double, _ entry: RingKey) -> Accepted {
        let moment = { NumericDate(0).adding(seconds: $0) }
        return Accepted(
            nonce: seal(window, with: entry.key),
            validity: NonceValidity(
                issuedSince: moment(max(window * lifetime, entry.madeAt ?? -.infinity)),
                until: moment((window + 2) * lifetime)))
    }

    private func seal(_ window: Double, with key: SealingKey) -> [UInt8] {
        var message = context
        withUnsafeBytes(of: window.bitPattern.bigEndian) { message.append(contentsOf: $0) }
        return Array(Base64URL.encode(key.seal(message)).utf8)
    }
}
