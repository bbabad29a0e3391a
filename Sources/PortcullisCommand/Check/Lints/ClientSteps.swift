// SPDX-License-Identifier: MIT

import PortcullisDiscovery

/// Finds the first step at which each known client stops, from the findings of a check.
enum ClientSteps {
    /// The steps in order, with the codes that stop every client there.
    private static let steps: [(codes: Set<String>, step: String, fault: String)] = [
        (
            ["metadata.status", "metadata.json", "metadata.media-type"], "the metadata document",
            "the resource's"
        ),
        (["metadata.resource"], "the comparison of resource", "the resource's"),
        (["server.any"], "the authorization server's metadata", "the authorization server's, or of the list"),
    ]

    /// One note for each client that stops.
    static func findings(_ findings: [Finding], isMCP: Bool) -> [Finding] {
        KnownClient.allCases.compactMap { client in
            guard let (step, fault, cause) = stop(of: client, findings, isMCP: isMCP) else { return nil }
            return Finding(
                .note, "clients.steps",
                "\(client.rawValue) stops at \(step), by \(fault) fault (\(cause)).", about: client.rawValue,
                exchange: findings.first { $0.code == cause && $0.level != .pass }?.exchange)
        }
    }

    private static func stop(
        of client: KnownClient, _ findings: [Finding], isMCP: Bool
    ) -> (step: String, fault: String, cause: String)? {
        let has: (String, Finding.Level) -> Bool = { code, level in
            findings.contains { $0.code == code && $0.level == level }
        }
        // A client that misses the challenge's hint goes on at the derived location.
        let isLost = findings.contains { $0.code == "clients.challenge" && $0.about == client.rawValue }
        if isLost, has("metadata.derived", .warn) {
            return ("the challenge", "its own", "clients.challenge")
        }
        if has("challenge.status", .warn) {
            return ("the first answer", "the resource's", "challenge.status")
        }
        for entry in steps {
            if let code = entry.codes.sorted().first(where: { has($0, .fail) }) {
                return (entry.step, entry.fault, code)
            }
        }
        if findings.contains(where: {
            $0.code == "clients.resource" && $0.level == .warn && $0.text.contains(client.rawValue)
        }) {
            return ("the comparison of resource", "the resource's", "clients.resource")
        }
        guard isMCP || client != .oauth4webapi else { return nil }
        if has("server.pkce", isMCP ? .fail : .warn) {
            return ("PKCE", "the authorization server's", "server.pkce")
        }
        return nil
    }
}
