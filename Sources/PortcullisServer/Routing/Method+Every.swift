// SPDX-License-Identifier: MIT

package import PortcullisHTTP

extension Method {
    /// Stands for every method but CONNECT and TRACE in the declaration of a route.
    ///
    /// CONNECT would make a tunnel, and TRACE would send credentials back. RFC 9110 §9.3.6, §9.3.8.
    package static let everyMethod: Method = "*"

    /// The names for `Allow`; for ``everyMethod`` the usual ones.
    var namedMethods: [String] {
        self == .everyMethod ? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] : [name]
    }
}
