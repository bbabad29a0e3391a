// SPDX-License-Identifier: MIT

package import PortcullisServer

/// What `self_check` says.
package struct SelfCheckSettings: Sendable, Hashable {
    package var policy = Server.SelfCheckPolicy.off
    /// A file of certificates to trust at the resources' own URLs, instead of the system's.
    package var certificateAuthorities: String?

    /// The defaults: there is none.
    package init() {}
}

extension SelfCheckSettings {
    init(_ reader: ObjectReader) {
        policy = reader.word("policy", Server.SelfCheckPolicy.self) ?? policy
        certificateAuthorities = reader.string("ca_certificates")
        reader.finish()
    }
}
