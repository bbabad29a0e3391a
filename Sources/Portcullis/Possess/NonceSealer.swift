// SPDX-License-Identifier: MIT

package import PortcullisJOSE
import Synchronization

/// Where the nonces of a resource come from.
///
/// RFC 9449 §9.
package protocol NonceSource: Sendable {
    /// The nonce to hand out.
    func nonce(at now: NumericDate) -> String
    /// Whether a nonce was handed out, not too long ago.
    func accepts(_ nonce: String, at now: NumericDate) -> Bool
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
        /// From when on nothing that was sealed with it counts; nothing while new nonces are.
        var retiresAt: Double?
    }

    private struct State {
        /// The first one seals; all of them are recognised.
        var ring: [RingKey]
        /// When the first one was made here; nothing for one that was given.
        var madeAt: Double?
        var window: Double = -.infinity
        /// The nonces that count in ``window``, the one to hand out first.
        var accepted: [[UInt8]] = []
        var current = ""

        /// Goes on with keys that were made here; given ones stay, and those before them count until their nonces have run out.
        mutating func inherit(from earlier: State, _ lifetime: Double, _ now: NumericDate) {
            window = -.infinity
            if madeAt != nil, earlier.madeAt != nil {
                ring = earlier.ring
                madeAt = earlier.madeAt
                return
            }
            let end = now.seconds + 2 * lifetime
            for old in earlier.ring where !ring.contains(where: { $0.key.equals(old.key) }) {
                ring.append(RingKey(key: old.key, retiresAt: min(old.retiresAt ?? end, end)))
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
            state.ring = [RingKey(key: .random())]
            state.madeAt = now.seconds
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

    package func accepts(_ nonce: String, at now: NumericDate) -> Bool {
        let nonce = Array(nonce.utf8)
        return state.withLock { state in
            refresh(&state, at: now)
            // All are compared, so that the time tells nothing about which one it was like.
            return state.accepted.reduce(false) { ConstantTime.equals($1, nonce) || $0 }
        }
    }

    private func refresh(_ state: inout State, at now: NumericDate) {
        let window = (now.seconds / lifetime).rounded(.down)
        guard window != state.window else { return }
        state.window = window
        state.ring.removeAll { $0.retiresAt.map { $0 <= now.seconds } ?? false }
        if let madeAt = state.madeAt, now.seconds - madeAt >= max(Self.keyLifetime, 4 * lifetime) {
            state.ring[0].retiresAt = now.seconds + 2 * lifetime
            state.ring.insert(RingKey(key: .random()), at: 0)
            state.madeAt = now.seconds
        }
        state.accepted = state.ring.flatMap { entry in
            [window, window - 1, window + 1].map { seal($0, with: entry.key) }
        }
        state.current = String(decoding: state.accepted[0], as: UTF8.self)
    }

    private func seal(_ window: Double, with key: SealingKey) -> [UInt8] {
        var message = context
        withUnsafeBytes(of: window.bitPattern.bigEndian) { message.append(contentsOf: $0) }
        return Array(Base64URL.encode(key.seal(message)).utf8)
    }
}
