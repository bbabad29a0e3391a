// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisJOSE

/// The `dpop` object in a resource's `tokens`, with defaults for omitted keys.
///
/// RFC 9449 §4.3, §9, §11.1.
package struct DPoPSettings: Sendable, Hashable {
    package var nonce = DPoPPolicy.NonceUse.off
    package var nonceLifetime: Duration = .seconds(300)
    /// The nonce keys: the first one issues nonces, all are accepted.
    ///
    /// Empty: a random key is generated.
    package var nonceKeys: [[UInt8]] = []
    /// A file with such keys, relative to the configuration file.
    var nonceKeysFile: String?
    /// `nil`: 60 seconds, or 300 under the profile of MCP.
    package var proofMaxAge: Duration?
    /// `nil`: 5 seconds, or 300 under the profile of MCP.
    package var proofMaxFuture: Duration?
    package var replayCacheEntryCount = 1_000_000
    /// Whether a query or fragment in `htu` is refused instead of ignored.
    package var refusesQueryInTarget = false
    /// Whether a proof with an unbound bearer token is refused instead of ignored.
    package var refusesStrayProofs = false
}

private enum NonceWord: String, CaseIterable {
    case off, required
}

extension DPoPSettings {
    init(_ reader: ObjectReader) {
        nonce = reader.word("nonce", NonceWord.self) == .required ? .required : .off
        nonceLifetime = reader.seconds("nonce_lifetime_seconds", in: 1...86_400) ?? nonceLifetime
        nonceKeys = Self.readKeys(reader)
        nonceKeysFile = reader.string("nonce_keys_file")
        if nonceKeysFile != nil, reader.object["nonce_keys"] != nil {
            reader.error("nonce_keys_file", "must not be given together with nonce_keys; remove one of them")
        }
        proofMaxAge = reader.seconds("proof_max_age_seconds", in: 1...3_600)
        proofMaxFuture = reader.seconds("proof_max_future_seconds", in: 0...300)
        replayCacheEntryCount =
            reader.integer("replay_cache_entries", in: 1...100_000_000) ?? replayCacheEntryCount
        refusesQueryInTarget = reader.bool("refuse_htu_query") ?? false
        refusesStrayProofs = reader.bool("refuse_stray_proofs") ?? false
        reader.finish()
    }

    private static func readKeys(_ reader: ObjectReader) -> [[UInt8]] {
        let texts = reader.strings("nonce_keys", of: "keys") ?? []
        return texts.enumerated().compactMap { index, text in
            if let bytes = Base64URL.decode(text), (try? NonceKey(validating: bytes)) != nil { return bytes }
            reader.findings.error(
                reader.path["nonce_keys"][index],
                "must be 32 or more random bytes in base64url without padding")
            return nil
        }
    }

    var policy: DPoPPolicy {
        var policy = DPoPPolicy()
        policy.nonce = nonce
        policy.nonceLifetime = nonceLifetime
        policy.nonceKeys = nonceKeys.compactMap { try? NonceKey(validating: $0) }
        if let proofMaxAge { policy.proofMaxAge = proofMaxAge }
        if let proofMaxFuture { policy.proofMaxFuture = proofMaxFuture }
        policy.replayCacheEntryCount = replayCacheEntryCount
        policy.refusesQueryInTarget = refusesQueryInTarget
        policy.refusesStrayProofs = refusesStrayProofs
        return policy
    }
}
