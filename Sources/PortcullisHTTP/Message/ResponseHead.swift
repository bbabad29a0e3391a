// SPDX-License-Identifier: MIT

/// The status and the fields of a response.
///
/// RFC 9112 §4.
public struct ResponseHead: Sendable, Hashable {
    /// The status.
    public var status: Status
    /// The fields.
    ///
    /// The server adds framing, `Date` and `Connection` itself.
    public var fields: Fields

    /// Makes a head.
    public init(status: Status, fields: Fields = [:]) {
        self.status = status
        self.fields = fields
    }
}
