// SPDX-License-Identifier: MIT

/// The version of this package.
package enum ProductVersion {
    package static let text = "0.1.0"
}

extension HTTPClient {
    /// The `User-Agent` of a client's requests by default: product and version.
    ///
    /// Some firewalls refuse requests without the field. RFC 9110 §10.1.5.
    public static let defaultUserAgent = "Portcullis/\(ProductVersion.text)"
}
