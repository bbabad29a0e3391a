// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The metadata of a resource as bytes, with the fields that go with them.
///
/// Never depends on a request: neither `Host` nor anything else changes a byte.
///
/// RFC 9728 §3.2.
package struct MetadataDocument: Sendable, Hashable {
    /// Where it is found.
    package let location: WellKnownLocation
    /// The JSON object, UTF-8.
    package let body: [UInt8]
    /// A strong validator of the body, in its quotes.
    ///
    /// RFC 9110 §8.8.3.
    package let etag: String
    /// `public, max-age=N`.
    ///
    /// RFC 9728 §7.10.
    package let cacheControl: String

    package init(_ metadata: ProtectedResourceMetadata, maxAge: Int) {
        location = metadata.resource.wellKnownLocation
        body = metadata.json.serialized()
        let digest = body.withUnsafeBytes { Digest.sha256($0) }
        etag = "\"" + Base64URL.encode(digest.bytes).prefix(22) + "\""
        cacheControl = "public, max-age=\(maxAge)"
    }
}
