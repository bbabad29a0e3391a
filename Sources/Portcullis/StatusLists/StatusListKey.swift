// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// A list of an issuer; the tenants of a pattern may have lists with the same URI.
///
/// Compared code point by code point.
struct StatusListKey: Sendable, Hashable {
    let issuer: String
    let uri: String

    static func == (first: StatusListKey, second: StatusListKey) -> Bool {
        CodePoints.equal(first.uri, second.uri) && CodePoints.equal(first.issuer, second.issuer)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(ExactText(uri))
        hasher.combine(ExactText(issuer))
    }
}
