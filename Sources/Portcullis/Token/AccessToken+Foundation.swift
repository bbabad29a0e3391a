// SPDX-License-Identifier: MIT

import PortcullisJOSE

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension AccessToken {
    /// The expiration time as a `Date`; `nil` if it is unknown.
    ///
    /// See ``expiresAt``. RFC 7519 §4.1.4, RFC 7662 §2.2.
    public var expirationDate: Date? { expiresAt?.date }
}
