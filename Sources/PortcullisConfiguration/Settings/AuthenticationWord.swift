// SPDX-License-Identifier: MIT

/// The value of `authentication`: whether a request needs a token.
package enum AuthenticationWord: String, Sendable, CaseIterable {
    case required, optional
}
