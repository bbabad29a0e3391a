// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisJOSE

/// Checks the keys that an authorization server publishes, one by one.
///
/// RFC 7517 §4, RFC 7518 §3.3, draft-ietf-oauth-rfc8725bis §3.2.
enum KeyLint {
    /// The fewest bits of an RSA key.
    ///
    /// RFC 7518 §3.3.
    static let minimumRSABitCount = 2048

    /// Checks the `keys` of a document as received.
    static func check(_ document: JSONObject, of issuer: String, _ report: inout CheckReport) {
        let keys = (document["keys"]?.array ?? []).compactMap(\.object)
        let symmetric = keys.count { $0["kty"] == "oct" }
        if symmetric > 0 {
            report.note(
                .warn, "server.weak-keys",
                "\(issuer) publishes \(counted(symmetric, "symmetric key")): every reader can sign tokens.",
                about: issuer)
        }
        let weak = keys.filter { bitCount(of: $0).map { $0 < minimumRSABitCount } ?? false }
        if !weak.isEmpty {
            report.note(
                .warn, "server.weak-keys",
                "\(issuer) publishes \(counted(weak.count, "RSA key")) of fewer than \(minimumRSABitCount) bits.",
                about: issuer)
        }
        var seen: Set<String> = []
        let repeated = Set(keys.compactMap { $0["kid"]?.string }.filter { !seen.insert($0).inserted })
        if !repeated.isEmpty {
            report.note(
                .warn, "server.key-identifiers",
                "\(issuer) gives several keys one kid: \(Exchange.shown(repeated.sorted().joined(separator: ", "))).",
                about: issuer)
        }
        let signing = keys.filter { $0["use"]?.string ?? "sig" == "sig" }
        let bare = signing.count { $0["alg"] == nil }
        if bare > 0 {
            report.note(
                .note, "server.key-algorithms",
                "\(issuer) publishes \(counted(bare, "key")) without alg, so a verifier must choose the algorithm.",
                about: issuer)
        }
        let named = signing.compactMap { $0["alg"]?.string }
        if !signing.isEmpty, named.count == signing.count,
            named.allSatisfy({ SignatureAlgorithm(rawValue: $0) == nil })
        {
            report.note(
                .warn, "server.key-algorithms",
                "\(issuer) signs only with \(Exchange.shown(named.joined(separator: ", "))), which few resources "
                    + "can verify.", about: issuer)
        }
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    /// The number of bits of an RSA modulus, without leading zeros; `nil` for another key.
    private static func bitCount(of key: JSONObject) -> Int? {
        guard key["kty"] == "RSA", let text = key["n"]?.string,
            let bytes = Base64URL.decode(text)
        else { return nil }
        let modulus = bytes.drop { $0 == 0 }
        guard let first = modulus.first else { return 0 }
        return modulus.count * 8 - first.leadingZeroBitCount
    }
}
