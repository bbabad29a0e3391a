// SPDX-License-Identifier: MIT

/// What happens to a request that is none of a route's operations.
public enum OtherOperations: Sendable, Hashable {
    /// It is refused: with 400 where one of the fields is missing, otherwise with 403.
    case refused
    /// The route's own demands are enough.
    ///
    /// A client gets by with these if it leaves the fields out, unless the program behind refuses that.
    case route
}
