// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension ProtectedResourceMetadata {
    /// Why a configured `signed_metadata` can't be published with these members, or `nil`.
    ///
    /// Clients are more lenient: for them, signed values take precedence. Does not verify the signature: the
    /// key belongs to the issuer, and clients fetch it there.
    ///
    /// RFC 9728 §2.2, §3.3.
    var signedMetadataObjection: String? {
        guard let signedMetadata else { return nil }
        let parts = signedMetadata.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            !parts[2].isEmpty
        else {
            return
                "The value must be a compact JWS with JSON in it: three parts with two dots (RFC 9728 §2.2)."
        }
        guard let algorithm = header["alg"]?.string, !ASCII.equalIgnoringCase(algorithm, "none") else {
            return "The value must be signed; the algorithm none is not allowed (RFC 9728 §2.2)."
        }
        guard let issuer = claims["iss"]?.string, !issuer.isEmpty else {
            return "The claim iss must name the party that attests the claims (RFC 9728 §2.2)."
        }
        guard claims["signed_metadata"] == nil else {
            return "The claims must not contain signed_metadata (RFC 9728 §2.2)."
        }
        guard let named = claims["resource"]?.string, named.utf8.elementsEqual(resource.text.utf8) else {
            return "The claim resource must equal the resource identifier, byte for byte (RFC 9728 §3.3)."
        }
        let plain = json
        let differs = claims.members.contains { claim in
            Self.isKnown(claim.name) && plain[claim.name] != claim.value
        }
        // RFC 9728 §2.2: signed values take precedence, but clients that do not support them read the others.
        return differs
            ? "The claims must have the same values as the metadata's members (RFC 9728 §2.2)." : nil
    }

    private static func object(_ part: Substring.UTF8View) -> JSONObject? {
        guard let bytes = Base64URL.decode(String(decoding: part, as: UTF8.self)) else { return nil }
        return (try? JSONValue.parse(bytes))?.object
    }
}
