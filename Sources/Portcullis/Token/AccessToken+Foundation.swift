// SPDX-License-Identifier: MIT

import PortcullisJOSE

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension AccessToken {
    /// When the token expires, as a date; `nil` if that is not known.
    ///
    /// See ``expiresAt``. RFC 7519 §4.1.4, RFC 7662 §2.2.
    public var expirationDate: Date? { expiresAt?.date }
}
