// SPDX-License-Identifier: MIT

extension TrustedIssuer {
    /// A sentence for each setting that accepts more tokens than the defaults, with its consequence.
    var relaxations: [String] {
        var sentences: [String] = []
        if let audienceSource {
            sentences.append(
                "Tokens of \(issuer) without aud are accepted by the value of \(audienceSource.pointer): "
                    + Self.audienceConsequence)
        }
        if allowsInsecureLoopback, issuer.hasPrefix("http:") {
            sentences.append(
                "\(issuer) is an http URL: a program on this machine that takes its port can issue tokens.")
        }
        return sentences
    }

    /// What follows from ``audienceSource``.
    package static let audienceConsequence =
        "what these clients got for another API of the issuer works here too (RFC 8707 §2)."
}
