// SPDX-License-Identifier: MIT

import PortcullisJOSE

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension AuthorizationDetailEvaluator {
    /// Compares with a closure, after decoding both sides as a type of the app.
    ///
    /// Names are matched by `CodingKeys`. A grant that does not decode grants nothing. Must not block.
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
    /// Decodes the members as a type of the app, like Foundation's `JSONDecoder` with its default settings.
    ///
    /// - Throws: `DecodingError` if the members do not match the type.
    ///
    /// RFC 9396 §2.
    public func decoded<Detail: Decodable>(as _: Detail.Type) throws -> Detail {
        try JSONDecoder().decode(Detail.self, from: Data(json.serialized()))
    }
}
