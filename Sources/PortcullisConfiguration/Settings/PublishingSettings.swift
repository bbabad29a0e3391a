// SPDX-License-Identifier: MIT

import Portcullis
package import PortcullisJOSE

/// A resource's `signed_metadata` object.
///
/// RFC 9728 §2.2.
package struct SignedMetadataSettings: Sendable {
    /// The name of the file with the private key.
    package var privateKey: String
    package var algorithm: SignatureAlgorithm
    /// `nil`: the resource itself.
    package var issuer: String?
    package var lifetime: Duration = .seconds(86_400)
    /// Files with further keys to publish next to the signing key.
    package var publishedKeys: [String] = []
    package var answersAcceptedJWT = false
    /// Its JSONPath.
    package var path: String
}

extension SignedMetadataSettings {
    init?(_ reader: ObjectReader) {
        path = reader.path.text
        let key = reader.requiredString("private_key", "the file with the private key, a JWK")
        let name = reader.requiredString("algorithm", "the algorithm to sign with, such as \"ES256\"")
        let algorithm = name.flatMap(SignatureAlgorithm.init(rawValue:))
        if name != nil, algorithm == nil {
            let known = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            reader.error("algorithm", "must be one of \(known)")
        }
        issuer = reader.string("issuer")
        lifetime = reader.seconds("lifetime_seconds", in: 60...31_536_000) ?? lifetime
        publishedKeys = reader.strings("published_keys", of: "file names") ?? []
        answersAcceptedJWT = reader.bool("accept_jwt") ?? false
        reader.finish()
        guard let key, let algorithm else { return nil }
        privateKey = key
        self.algorithm = algorithm
    }
}

/// Where a resource's metadata is published in addition to its well-known location.
package struct PublishingSettings: Sendable {
    package var additionalSuffixes: [String] = []
    package var metadataURL: String?
    package var hasLinkField = false
    package var mirrorsAuthorizationServer = false
    package var signing: SignedMetadataSettings?
}

extension PublishingSettings {
    init(_ reader: ObjectReader) {
        additionalSuffixes = reader.strings("additional_well_known_suffixes") ?? []
        metadataURL = reader.string("metadata_url")
        hasLinkField = reader.bool("link_field") ?? false
        mirrorsAuthorizationServer = reader.bool("authorization_server_mirror") ?? false
        signing = reader.object("signed_metadata").flatMap(SignedMetadataSettings.init)
    }
}
