// SPDX-License-Identifier: MIT

/// Whether a resource accepts tokens that are bound to a client key, and the rules for their proofs.
///
/// RFC 9449 §4.3, §5.2, §7.
public struct DPoPUse: Sendable {
    let isAccepted: Bool
    let isRequired: Bool
    /// `nil` for the defaults.
    let policy: DPoPPolicy?

    /// DPoP is not accepted.
    public static let none = DPoPUse(isAccepted: false, isRequired: false, policy: nil)
    /// Bound and unbound tokens are accepted, with the defaults of ``DPoPPolicy``.
    public static let accepted = DPoPUse(isAccepted: true, isRequired: false, policy: nil)
    /// Only bound tokens are accepted, with the defaults of ``DPoPPolicy``.
    public static let required = DPoPUse(isAccepted: true, isRequired: true, policy: nil)

    /// Bound and unbound tokens are accepted.
    public static func accepted(_ policy: DPoPPolicy) -> DPoPUse {
        DPoPUse(isAccepted: true, isRequired: false, policy: policy)
    }

    /// Only bound tokens are accepted.
    public static func required(_ policy: DPoPPolicy) -> DPoPUse {
        DPoPUse(isAccepted: true, isRequired: true, policy: policy)
    }
}
