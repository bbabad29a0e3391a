// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

/// The lists of issuers that resources trust: equal lists share their memory, and are looked at once.
struct SharedIssuers {
    /// The issuers of some resources, and what is known of them.
    typealias List = (list: [TrustedIssuer], traits: IssuerTraits)

    private let issuers: [ExactText: TrustedIssuer]
    private var lists: [[ExactText]: List] = [:]

    init(_ issuers: [TrustedIssuer]) {
        self.issuers = Dictionary(issuers.map { (ExactText($0.issuer), $0) }) { first, _ in first }
    }

    /// Returns the issuers of a resource, or `nil` if one of them could not be made.
    mutating func list(of resource: ResourceSettings) -> List? {
        let names = resource.issuers.map { ExactText($0.issuer) }
        if let known = lists[names] { return known }
        let list = names.compactMap { issuers[$0] }
        guard list.count == names.count else { return nil }
        let made = (list: list, traits: IssuerTraits(list))
        lists[names] = made
        return made
    }
}
