// SPDX-License-Identifier: MIT

/// The version that a message names in its first line.
///
/// Only these two are supported.
///
/// RFC 9112 §2.3.
package enum HTTPVersion: Sendable, Hashable {
    /// `HTTP/1.0`.
    case http1_0
    /// `HTTP/1.1`.
    case http1_1
}
