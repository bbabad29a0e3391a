// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP

/// Checks the response to a request without a token.
///
/// RFC 6750 §3, RFC 9728 §5.1, RFC 9110 §11.6.1.
struct ChallengeLint {
    /// The metadata URL that a conforming client finds in the challenge, or `nil`.
    private(set) var metadataURL: String?
    private var challenges: [ReceivedChallenge] = []

    /// Whether the answer is a 401 without a challenge.
    private var isRemoved = false
    private let exchange: Exchange?

    init(_ response: FetchResponse, for identifier: ResourceIdentifier, _ report: inout CheckReport) {
        exchange = report.exchange
        guard response.status == .unauthorized else {
            report.note(.warn, "challenge.status", Self.sentence(for: response))
            return
        }
        report.note(.pass, "challenge.status", "A call without a token is answered 401.")
        let lines = response.fields.values(of: .wwwAuthenticate)
        guard !lines.isEmpty else {
            isRemoved = true
            report.note(.fail, "challenge.present", "The 401 has no WWW-Authenticate (RFC 9110 §15.5.2).")
            return
        }
        do throws(ChallengeSyntaxError) {
            challenges = try ReceivedChallenge.list(in: lines)
        } catch {
            report.note(
                .fail, "challenge.grammar", "WWW-Authenticate cannot be parsed: \(error) (RFC 9110 §11.6.1).")
            return
        }
        report.note(.pass, "challenge.grammar", "WWW-Authenticate conforms to the grammar.")
        checkSchemes(&report)
        checkHint(&report)
        checkOrigin(identifier, &report)
        checkErrors(&report)
        checkClients(lines, &report)
        if !response.fields.values(of: .cacheControl).contains(where: { $0.contains("no-store") }) {
            report.note(.note, "challenge.cache", "The 401 has no Cache-Control: no-store.")
        }
    }

    private static func sentence(for response: FetchResponse) -> String {
        let status = response.status
        return switch status.code {
        case 200..<300:
            "A call without a token is answered \(status.code): the URL is public or not protected. "
                + "Clients do not learn where to get a token."
        case 300..<400:
            "A call without a token is answered with a redirect (\(status.code))\(response.target), which "
                + "clients do not follow."
        default:
            "A call without a token is answered \(status.code) and not 401, so clients do not learn where to "
                + "get one."
        }
    }

    private func checkSchemes(_ report: inout CheckReport) {
        if challenges.isEmpty {
            report.note(.fail, "challenge.present", "WWW-Authenticate has no challenge (RFC 9110 §11.6.1).")
        }
        // RFC 6750 §3.
        for challenge in challenges where challenge.isScheme("Bearer") && challenge.parameters.isEmpty {
            report.note(
                .fail, "challenge.parameters",
                "The Bearer challenge has no parameter, but needs one (RFC 6750 §3).")
        }
        if !challenges.contains(where: { $0.isScheme("Bearer") || $0.isScheme("DPoP") }) {
            report.note(.fail, "challenge.scheme", "No challenge has the scheme Bearer or DPoP.")
        }
    }

    private mutating func checkHint(_ report: inout CheckReport) {
        let hints = challenges.compactMap { $0["resource_metadata"] }
        guard let first = hints.first else {
            report.note(
                .warn, "challenge.resource-metadata",
                "The challenge has no resource_metadata, so clients must derive the well-known location "
                    + "(RFC 9728 §5.1).")
            return
        }
        metadataURL = first
        if hints.contains(where: { !$0.utf8.elementsEqual(first.utf8) }) {
            report.note(
                .warn, "challenge.resource-metadata",
                "The challenges have different resource_metadata; some clients mix them up.")
        } else {
            report.note(
                .pass, "challenge.resource-metadata",
                "The challenge names the metadata URL: \(Exchange.shown(first))")
        }
        if challenges.compactMap({ $0["scope"] }).isEmpty {
            report.note(
                .note, "challenge.scope",
                "The challenge has no scope, so clients request all of scopes_supported (RFC 6750 §3).")
        }
    }

    /// RFC 9728 §7.3.
    private func checkOrigin(_ identifier: ResourceIdentifier, _ report: inout CheckReport) {
        guard let metadataURL, let url = try? HTTPURL(metadataURL), !url.hasOrigin(of: identifier.url) else {
            return
        }
        report.note(
            .warn, "challenge.origin",
            "The challenge's resource_metadata is on another origin: \(Exchange.shown(metadataURL))")
    }

    /// Compares the challenge with the document, or with the lack of one.
    func compare(with metadata: ProtectedResourceMetadata?, _ report: inout CheckReport) {
        guard let metadata else { return }
        report.exchange = exchange
        defer { report.exchange = nil }
        if isRemoved {
            report.note(
                .warn, "challenge.removed",
                "The metadata are there, but the 401 has no WWW-Authenticate: a proxy may have removed it.")
        }
        let listed = Set(metadata.scopesSupported.map(\.name))
        guard !listed.isEmpty else { return }
        let asked = challenges.compactMap { $0["scope"] }
            .flatMap { $0.split(separator: " ").map(String.init) }.filter { !listed.contains($0) }
        if !asked.isEmpty {
            report.note(
                .warn, "challenge.scope-unlisted",
                "The challenge names scopes that the document does not list: "
                    + Exchange.shown(asked.joined(separator: " ")))
        }
    }

    private func checkErrors(_ report: inout CheckReport) {
        if challenges.contains(where: { $0["error"] != nil }) {
            report.note(
                .warn, "challenge.error",
                "The challenge has an error although no token was sent; clients may drop a valid token "
                    + "(RFC 6750 §3.1).")
        }
    }

    private func checkClients(_ lines: [String], _ report: inout CheckReport) {
        guard let metadataURL else { return }
        var lost: [(client: String, sentence: String)] = []
        for client in KnownClient.allCases {
            let reading = client.reading(of: lines)
            if let read = reading.metadataURL, read.utf8.elementsEqual(metadataURL.utf8) { continue }
            let reason = reading.reason ?? "it reads another value"
            let sentence = "\(client.rawValue) does not find the metadata in this challenge: \(reason)."
            lost.append((client.rawValue, sentence))
        }
        if lost.isEmpty {
            report.note(
                .pass, "clients.challenge", "Every known client finds the metadata in this challenge.")
        }
        for (client, sentence) in lost {
            report.note(.warn, "clients.challenge", sentence, about: client)
        }
    }
}
