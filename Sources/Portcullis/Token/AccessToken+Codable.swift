// SPDX-License-Identifier: MIT

import PortcullisJOSE

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension AccessToken {
    /// The claims as a type of the app's own, decoded from what the gate has read strictly.
    ///
    /// Names are matched as `CodingKeys` spell them, and types decoded as Foundation's `JSONDecoder` does by default.
    /// Does not wait.
    ///
    /// - Throws: `DecodingError` if the claims are not of that form.
    ///
    /// RFC 7519 §4.
    public func claims<Claims: Decodable>(as type: Claims.Type) throws -> Claims {
        try JSONDecoder().decode(type, from: Data(claims.serialized()))
    }
}
