// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension ProtectedResourceMetadata {
    /// Why a `signed_metadata` that somebody else has made can't be published with these members, or nothing.
    ///
    /// A reader is laxer: it lets signed values win.
    /// Does not check the signature: the key is the issuer's, and clients ask there.
    ///
    /// RFC 9728 §2.2, §3.3.
    var signedMetadataObjection: String? {
        guard let signedMetadata else { return nil }
        let parts = signedMetadata.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            !parts[2].isEmpty
        else { return "This is a compact JWS with JSON in it: three parts with two dots (RFC 9728 §2.2)." }
        guard let algorithm = header["alg"]?.string, !ASCII.equalIgnoringCase(algorithm, "none") else {
            return "This is signed; none is no signature (RFC 9728 §2.2)."
        }
        guard let issuer = claims["iss"]?.string, !issuer.isEmpty else {
            return "This has an iss claim that names who attests the claims (RFC 9728 §2.2)."
        }
        guard claims["signed_metadata"] == nil else {
            return "This has no signed_metadata claim of its own (RFC 9728 §2.2)."
        }
        guard let named = claims["resource"]?.string, named.utf8.elementsEqual(resource.text.utf8) else {
            return "The resource claim of this is the resource identifier, byte for byte (RFC 9728 §3.3)."
        }
        let plain = json
        let differs = claims.members.contains { claim in
            Self.isKnown(claim.name) && plain[claim.name] != claim.value
        }
        // RFC 9728 §2.2: signed values win, so two values would mean that readers see different things.
        return differs
            ? "The claims of this have the same values as the members beside it (RFC 9728 §2.2)." : nil
    }

    private static func object(_ part: Substring.UTF8View) -> JSONObject? {
        guard let bytes = Base64URL.decode(String(decoding: part, as: UTF8.self)) else { return nil }
        return (try? JSONValue.parse(bytes))?.object
    }
}
