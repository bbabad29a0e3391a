// SPDX-License-Identifier: MIT

package import PortcullisServer

/// The `forward_auth` object: where a proxy asks whether it may pass a request on.
package struct ForwardAuthSettings: Sendable, Hashable {
    package var path = "/_auth"
    package var family: ForwardAuthFamily
    package var identityPrefix = ForwardAuth.defaultIdentityPrefix

    init?(_ reader: ObjectReader) {
        path = reader.string("path") ?? path
        if let problem = ForwardAuth.problem(withPath: path) { reader.error("path", problem) }
        let family = reader.word("family", ForwardAuthFamily.self)
        if reader.object["family"] == nil {
            reader.error(
                "family",
                "missing; must be the kind of proxy that asks: "
                    + ForwardAuthFamily.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
        }
        identityPrefix = reader.string("identity_prefix") ?? identityPrefix
        if !ForwardAuth.isIdentityPrefix(identityPrefix) {
            reader.error("identity_prefix", ForwardAuth.prefixRule)
        }
        reader.finish()
        guard let family else { return nil }
        self.family = family
    }
}
