// SPDX-License-Identifier: MIT

import Portcullis

/// A trusted issuer, and where a resource lists it.
package struct ListedIssuer: Sendable {
    package let issuer: String
    let isPattern: Bool
    private let list: JSONPath
    private let index: Int

    /// The issuers of a list; elements that are no strings are left out.
    static func list(_ issuers: [String?], at list: JSONPath) -> [ListedIssuer] {
        issuers.enumerated().compactMap { index, issuer in
            issuer.map {
                ListedIssuer(
                    issuer: $0, isPattern: IssuerPattern.isPattern($0), list: list, index: index)
            }
        }
    }

    /// Made when it is needed: hardly any of a file's many issuers has a finding.
    var place: JSONPath { list[index] }
    /// The JSONPath at which it is listed.
    package var path: String { place.text }
}
