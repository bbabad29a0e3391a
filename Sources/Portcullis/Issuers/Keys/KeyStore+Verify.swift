// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

extension KeyStore {
    /// Tries the keys that fit, and after a fetch of newer ones those too, as for an access token.
    ///
    /// For documents that the issuer signs, which belong to no request.
    ///
    /// RFC 7515 §5.2, Appendix D.
    func verify(
        _ jws: CompactJWS, _ algorithm: SignatureAlgorithm, uptime: @Sendable () -> MonotonicInstant
    ) async throws(JOSEError) {
        var failed: [String] = []
        var asked: KeyQuestion.Lack?
        var outcome: KeyQuestion.Outcome?
        while true {
            let search = try? key(jws.header.keyID, algorithm, at: uptime(), after: asked, outcome)
            let lack: KeyQuestion.Lack?
            switch search {
            case .found(let key, let generation):
                if try verify(jws, [key], algorithm, &failed) { return }
                lack = asked == nil ? renewal(since: generation, at: uptime()) : nil
            case .several(let fitting, _, let generation):
                if try verify(jws, fitting, algorithm, &failed) { return }
                lack = asked == nil ? renewal(since: generation, at: uptime()) : nil
            case .lacking(let missing): lack = missing
            case nil: lack = nil
            }
            guard let lack else { throw .keyNotUsable }
            asked = lack
            outcome = await withCheckedContinuation { waiting in
                obtain(lack) { waiting.resume(returning: $0) }
            }
        }
    }

    /// Whether one of the keys verifies the signature; tries none twice, and not too many.
    private func verify(
        _ jws: CompactJWS, _ fitting: [JWK], _ algorithm: SignatureAlgorithm, _ failed: inout [String]
    ) throws(JOSEError) -> Bool {
        for key in fitting where !failed.contains(key.thumbprint) {
            guard failed.count < JWKSet.maximumCandidateCount else { return false }
            do throws(JOSEError) {
                try jws.verify(with: key, algorithm: algorithm)
                return true
            } catch .cryptographyUnavailable {
                throw .cryptographyUnavailable
            } catch {
                failed.append(key.thumbprint)
            }
        }
        return false
    }
}
