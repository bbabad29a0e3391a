// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// A document that a resource publishes, with its fields: its metadata, or its own public keys.
///
/// Never depends on a request: neither `Host` nor any other field changes a byte.
///
/// RFC 9728 §3.2.
package struct MetadataDocument: Sendable, Hashable {
    /// The content.
    package let body: [UInt8]
    /// The media type: `application/json` for metadata, without a parameter.
    package let contentType: String
    /// A strong validator of the body, with quotes.
    ///
    /// RFC 9110 §8.8.3.
    package let etag: String
    /// `public, max-age=N`.
    ///
    /// RFC 9728 §7.10.
    package let cacheControl: String
    /// The request fields that select one of several documents; `nil` if there is only one.
    ///
    /// RFC 9110 §12.5.5.
    let vary: String?
    /// The fields of a 200 answer.
    let fields: Fields

    package init(_ metadata: ProtectedResourceMetadata, maxAge: Int) {
        self.init(metadata.json.serialized(), "application/json", maxAge: maxAge)
    }

    package init(_ body: [UInt8], _ contentType: String, maxAge: Int, vary: String? = nil) {
        // The default is a constant, which thousands of resources share.
        let cacheControl = maxAge == 300 ? "public, max-age=300" : "public, max-age=\(maxAge)"
        self.init(body, contentType, cacheControl: cacheControl, vary: vary)
    }

    package init(_ body: [UInt8], _ contentType: String, cacheControl: String, vary: String? = nil) {
        self.body = body
        self.contentType = contentType
        self.vary = vary
        etag = "\"" + Self.hash(of: body).prefix(22) + "\""
        self.cacheControl = cacheControl
        var fields: Fields = [.cacheControl: cacheControl, .etag: etag, Self.anyOrigin: "*"]
        if let vary { fields.append(vary, for: .vary) }
        fields.append(contentType, for: .contentType)
        self.fields = fields
    }

    /// The fields of a 304 answer.
    ///
    /// RFC 9110 §15.4.5.
    var unchangedFields: Fields {
        var fields = fields
        fields[.contentType] = nil
        return fields
    }

    static let anyOrigin: FieldName = "Access-Control-Allow-Origin"

    /// Returns the SHA-256 of a document in base64url, a prefix of which is the entity tag.
    static func hash(of body: [UInt8]) -> String {
        Base64URL.encode(body.withUnsafeBytes { Digest.sha256($0) }.bytes)
    }
}
