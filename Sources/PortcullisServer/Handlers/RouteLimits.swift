// SPDX-License-Identifier: MIT

/// Limits on the bodies of the requests of a block or of one route.
///
/// `nil` leaves a limit to the enclosing block, and there to the server. A value replaces the server's for
/// these requests, whether it is smaller or larger: the innermost one counts. Limits of heads, connections and
/// responses exist for the whole server only, since the route is not known or shared when they apply.
///
/// Declare them with ``Routes/limits``, ``ProtectedRoutes/limits`` or ``DeclaredRoute/limits``.
public struct RouteLimits: Sendable, Hashable {
    /// The largest body, in bytes.
    ///
    /// Beyond it 413, before a byte is read if the declared length is larger. Default `nil`: that of the
    /// enclosing block, and there ``Server/Limits/maxBodyByteCount``. RFC 9110 §15.5.14.
    public var maxBodyByteCount: Int?
    /// How long a client may pause within a body.
    ///
    /// Then 408. Default `nil`: that of the enclosing block, and there ``Server/Limits/bodyTimeout``.
    /// RFC 9110 §15.5.9.
    public var bodyTimeout: Duration?
    /// The minimum rate of a body, after the first ten seconds of waiting for it.
    ///
    /// Below it 408. Default `nil`: that of the enclosing block, and there
    /// ``Server/Limits/minBodyBytesPerSecond``.
    public var minBodyBytesPerSecond: Int?

    /// Makes limits that leave everything to the enclosing block.
    public init() {}

    /// These limits, with those of the enclosing block where they say nothing.
    func within(_ outer: RouteLimits) -> RouteLimits {
        var limits = self
        limits.maxBodyByteCount = maxBodyByteCount ?? outer.maxBodyByteCount
        limits.bodyTimeout = bodyTimeout ?? outer.bodyTimeout
        limits.minBodyBytesPerSecond = minBodyBytesPerSecond ?? outer.minBodyBytesPerSecond
        return limits
    }

    /// Whether no limit is below 0.
    var isValid: Bool {
        (maxBodyByteCount ?? 0) >= 0 && (bodyTimeout ?? .zero) >= .zero && (minBodyBytesPerSecond ?? 0) >= 0
    }
}

/// The limits of routes in an object of its own, since most routes have none.
final class OwnLimits: Sendable {
    let value: RouteLimits

    init(_ value: RouteLimits) {
        self.value = value
    }
}
