// SPDX-License-Identifier: MIT

package import PortcullisServer

/// The `self_check` object: whether the server fetches its own metadata documents.
package struct SelfCheckSettings: Sendable, Hashable {
    package var policy = Server.SelfCheckPolicy.off
    /// A file of certificates to trust for the resources' own URLs instead of the system's.
    package var certificateAuthorities: String?

    /// Creates the defaults: no self-check.
    package init() {}
}

extension SelfCheckSettings {
    init(_ reader: ObjectReader) {
        policy = reader.word("policy", Server.SelfCheckPolicy.self) ?? policy
        certificateAuthorities = reader.string("ca_certificates")
        reader.finish()
    }
}
