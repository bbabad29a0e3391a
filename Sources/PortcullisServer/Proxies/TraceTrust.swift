// SPDX-License-Identifier: MIT

/// Whose `traceparent` a server continues.
///
/// Other requests start a trace of their own, since a stranger's trace ID could join anything, and its sampling
/// flag would decide what is recorded. The access log names the stranger's ID as a link.
///
/// W3C Trace Context §6.
public enum TraceTrust: String, Sendable, Hashable, CaseIterable {
    /// That of trusted proxies.
    case trusted
    /// Everybody's.
    case all
    /// Nobody's.
    case none

    func includes(_ isFromTrustedProxy: Bool) -> Bool {
        switch self {
        case .trusted: isFromTrustedProxy
        case .all: true
        case .none: false
        }
    }
}
