// SPDX-License-Identifier: MIT

/// Why the operation of a request cannot be told, or is none of those that the route has.
package enum OperationFault: Error, Hashable {
    /// A field came twice, also in a spelling that some programs read as the same, or `Connection` names it.
    case ambiguous
    /// A value is not encoded as its field demands.
    case malformed
    /// The request does not say, once, that it keeps to a revision that compares fields and body.
    case unversioned
    /// A field is missing.
    case missing
    /// The fields are there, and no operation has their values.
    case unlisted
}
