// SPDX-License-Identifier: MIT

package import PortcullisJOSE
import Synchronization

/// The source of a resource's nonces.
///
/// RFC 9449 §9.
package protocol NonceSource: Sendable {
    /// Returns the nonce to issue.
    func nonce(at now: NumericDate) -> String
    /// Returns when a nonce was issued and how long it is accepted, or `nil` if it is not accepted.
    func validity(of nonce: String, at now: NumericDate) -> NonceValidity?
}

/// The validity of an accepted nonce.
package struct NonceValidity: Sendable {
    /// The earliest time at which it was issued.
    package let issuedSince: NumericDate
    /// The time until which it is accepted.
    package let until: NumericDate

    package init(issuedSince: NumericDate, until: NumericDate) {
        self.issuedSince = issuedSince
        self.until = until
    }
}

/// Issues and recognises the nonces of one resource without storing them.
///
/// Time is divided into windows. A nonce is the sealed number of its window; it is accepted in its own window
/// and the next one. The nonce of the next window is accepted too, since the clock of a server with the same
/// keys may be ahead.
///
/// RFC 9449 §8, §9.
package final class NonceSealer: NonceSource {
    private struct RingKey {
        let key: SealingKey
        /// The time at which this process made it; `nil` for a configured one.
        var madeAt: Double?
        /// The time from which its nonces are refused; `nil` while it seals new ones.
        var retiresAt: Double?
    }

    /// A nonce that is accepted in a window.
    private struct Accepted {
        let nonce: [UInt8]
        let validity: NonceValidity
    }

    private struct State {
        /// The first key issues nonces; all keys are accepted.
        var ring: [RingKey]
        /// The time at which the first key was made here; `nil` for a configured one.
        var madeAt: Double? { ring.first?.madeAt }
        var window: Double = -.infinity
        /// The nonces accepted in ``window``; the first one is issued.
        var accepted: [Accepted] = []
        var current = ""

        /// Takes over keys made here; configured keys stay first, earlier ones are valid until they expire.
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

    /// How long a key made here issues nonces, in seconds.
    static let keyLifetime = 86_400.0

    private let lifetime: Double
    private let context: [UInt8]
    private let state: Mutex<State>

    /// Makes a sealer for a resource.
    ///
    /// - Parameters:
    ///   - keys: The keys, the issuing one first; empty to make one here.
    ///   - previous: The sealer that this one replaces; its nonces are accepted until they expire.
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

    /// Takes over the keys of an earlier sealer, whose nonces are accepted until they expire.
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
            // All are compared, so that the time does not reveal which one matched.
            return state.accepted.reduce(nil) { found, accepted in
                ConstantTime.equals(accepted.nonce, nonce) ? found ?? accepted.validity : found
            }
        }
    }

    private func refresh(_ state: inout State, at now: NumericDate) {
        let window = (now.seconds / lifetime).rounded(.down)
        guard window != state.window else { return }
        // If the clock was set back, nonces of future windows have been issued already, and proofs with them
        // must not be accepted later.
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
