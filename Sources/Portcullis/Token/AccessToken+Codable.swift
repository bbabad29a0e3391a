// SPDX-License-Identifier: MIT

import PortcullisJOSE

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension AccessToken {
    /// Decodes the strictly parsed claims as a type of the app.
    ///
    /// Matches names by `CodingKeys` and converts types like Foundation's `JSONDecoder` with its default
    /// settings. Does not wait.
    ///
    /// - Throws: `DecodingError` if the claims do not match the type.
    ///
    /// RFC 7519 §4.
    public func claims<Claims: Decodable>(as type: Claims.Type) throws -> Claims {
        try JSONDecoder().decode(type, from: Data(claims.serialized()))
    }
}
