// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

extension HTTPURL {
    /// Parses a URL, or returns `nil`; callers have already reported an invalid one.
    static func parse(_ text: String) -> HTTPURL? {
        do throws(Malformation) {
            return try HTTPURL(text)
        } catch {
            return nil
        }
    }

    /// The authority in a normalised form: equal text for equal authorities.
    var authority: String { "\(scheme)://\(host):\(port)" }

    /// The segments of the path; a trailing slash gives an empty last one.
    var segments: [String] { pathSegments(path) }
}

/// The segments of a path, percent-normalised.
///
/// RFC 3986 §6.2.2.
func pathSegments(_ path: String) -> [String] {
    // The same, for the paths in one piece without a percent sign, which are nearly all.
    let plain = path.utf8.withContiguousStorageIfAvailable { bytes in
        bytes.contains(0x25)
            ? nil
            : bytes.split(separator: 0x2F, omittingEmptySubsequences: false).dropFirst()
                .map { String(decoding: $0, as: UTF8.self) }
    }
    if let plain, let plain { return plain }
    return path.utf8.split(separator: 0x2F, omittingEmptySubsequences: false).dropFirst().map { segment in
        do throws(HTTPURL.Malformation) {
            return try HTTPURL.normalised(segment)
        } catch {
            return String(decoding: segment, as: UTF8.self)
        }
    }
}

/// Whether a path is equal to or below another one, by whole segments.
///
/// A parent `/a/` contains `/a/` and `/a/b`, but not `/a`.
func isBelow(_ path: [String], _ parent: [String]) -> Bool {
    guard path.count >= parent.count else { return false }
    let parent = parent.last == "" ? parent.dropLast() : parent[...]
    return zip(path, parent).allSatisfy { CodePoints.equal($0, $1) }
}

extension FindingCollector {
    /// Adds the library's problems.
    func add(_ error: ConfigurationError, at path: JSONPath) {
        for problem in error.problems {
            self.error(JSONPath(text: problem.path ?? path.text), problem.message)
        }
    }

    /// Checks an endpoint's URL: https, or http on loopback where that is allowed.
    ///
    /// RFC 8414 §2.
    func checkEndpoint(_ path: JSONPath, _ text: String?, allowingLoopback: Bool) {
        guard let text, !IssuerURL.isFetchable(text, allowingInsecureLoopback: allowingLoopback) else {
            return
        }
        if IssuerURL.isFetchable(text, allowingInsecureLoopback: true) {
            error(
                path,
                "must be an https URL, or set \"allow_insecure_loopback\": true in the issuer's entry")
        } else {
            error(path, "must be an https URL without a fragment")
        }
    }

    /// Checks an issuer identifier or an issuer pattern.
    ///
    /// RFC 8414 §2.
    func checkIssuer(_ path: JSONPath, _ text: String, allowingLoopback: Bool) {
        if IssuerPattern.isPattern(text) {
            if let objection = IssuerPattern.objection(to: text) { return error(path, objection) }
            // What holds for one tenant holds for all.
            return checkEndpoint(
                path, IssuerPattern(text)?.issuer(of: "x"), allowingLoopback: allowingLoopback)
        }
        if let objection = IssuerURL.objection(to: text) {
            error(path, objection)
        } else {
            checkEndpoint(path, text, allowingLoopback: allowingLoopback)
        }
    }
}
