// SPDX-License-Identifier: MIT

import PortcullisJOSE

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension AuthorizationDetailEvaluator {
    /// Decides by a closure over a type of the app's own, which both sides are decoded as.
    ///
    /// Names are matched as `CodingKeys` spell them. A grant that does not decode grants nothing. Must not wait.
    ///
    /// RFC 9396 §2.
    public init<Detail: Decodable & SendableMetatype>(
        type: String, as _: Detail.Type,
        covers: @escaping @Sendable (_ granted: Detail, _ needed: Detail) -> Bool
    ) {
        self.init(type: type) { granted, needed in
            guard let granted = try? granted.decoded(as: Detail.self),
                let needed = try? needed.decoded(as: Detail.self)
            else { return false }
            return covers(granted, needed)
        }
    }
}

extension AuthorizationDetail {
    /// The members as a type of the app's own, decoded as Foundation's `JSONDecoder` does by default.
    ///
    /// - Throws: `DecodingError` if the members are not of that form.
    ///
    /// RFC 9396 §2.
    public func decoded<Detail: Decodable>(as _: Detail.Type) throws -> Detail {
        try JSONDecoder().decode(Detail.self, from: Data(json.serialized()))
    }
}
