// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Describes what the status list says of a token, without the token's place in it.
///
/// draft-ietf-oauth-status-list §12.
extension RequestFindings {
    /// Whether the token has a status that counts, or needs one.
    var hasStatus: Bool {
        guard reading.isJWT, let claims else { return false }
        return claims["status"] != nil || failure == .missingStatus
    }

    /// The list that decided, and what it said.
    var statusFindings: (expected: String?, got: String?) {
        guard let claims, case .reference(let reference) = StatusClaim(claims) else {
            return ("a status_list with idx and uri", statusShape)
        }
        return ("a good status in \(FindingWords.printable(reference.uri))", statusWords)
    }

    private var statusWords: String {
        switch failure {
        case .forbiddenStatusList: "a list that is not at an allowed origin"
        case .revokedToken: "revoked"
        case .suspendedToken: "suspended"
        case .unacceptedStatus: "a value that is not configured as good"
        case .statusOutOfRange: "a place beyond the end of the list"
        case .statusListUnavailable: "no usable list"
        default: "good"
        }
    }

    private var statusShape: String {
        guard let status = claims?["status"] else { return "none" }
        guard let members = status.object?.members else { return status.typePhrase }
        return members.isEmpty
            ? "an empty status" : FindingWords.printable(members.map(\.name).joined(separator: ", "))
    }
}
