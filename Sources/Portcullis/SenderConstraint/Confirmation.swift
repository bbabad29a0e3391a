// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The binding of a token: to a key, a certificate, both, or none.
///
/// RFC 7800 §3.1, RFC 9449 §6.1, RFC 8705 §3.1.
struct Confirmation: Sendable, Hashable {
    /// `jkt`: the thumbprint of the key that signs proofs.
    let keyThumbprint: SHA256Digest?
    /// `x5t#S256`: the hash of the client certificate.
    let certificateThumbprint: SHA256Digest?

    static let none = Confirmation(keyThumbprint: nil, certificateThumbprint: nil)

    private init(keyThumbprint: SHA256Digest?, certificateThumbprint: SHA256Digest?) {
        self.keyThumbprint = keyThumbprint
        self.certificateThumbprint = certificateThumbprint
    }

    /// Parses the claim `cnf`.
    ///
    /// RFC 7800 §3.1: a token with an unsupported confirmation method is refused, never treated as unbound or
    /// as bound only by its supported methods.
    init(_ claim: JSONValue?) throws(RefusalReason) {
        guard let claim, !claim.isNull else {
            self = .none
            return
        }
        guard let object = claim.object, !object.members.isEmpty else { throw .unprovenPossession }
        var key: SHA256Digest?
        var certificate: SHA256Digest?
        for member in object.members {
            guard let digest = Self.digest(member.value) else { throw .unprovenPossession }
            switch Array(member.name.utf8) {
            case Self.keyName: key = digest
            case Self.certificateName: certificate = digest
            default: throw .unprovenPossession
            }
        }
        self.init(keyThumbprint: key, certificateThumbprint: certificate)
    }

    private static let keyName = Array("jkt".utf8)
    private static let certificateName = Array("x5t#S256".utf8)

    private static func digest(_ value: JSONValue) -> SHA256Digest? {
        value.string.flatMap { Base64URL.decode($0) }.flatMap(SHA256Digest.init)
    }
}
