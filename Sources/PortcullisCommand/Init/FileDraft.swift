// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisConfiguration
package import PortcullisDiscovery
package import PortcullisJOSE
import PortcullisServer

/// A configuration file in the making, and why each of its settings is there.
package struct FileDraft {
    /// The end of fitting a file to a token.
    package enum Result: Sendable, Hashable {
        /// The file accepts the token, as far as it can be judged without sending it.
        case fits
        /// No sound setting accepts the token.
        case unsound(String)
        /// The token cannot be in a request, or the file cannot be used.
        case unreadable(String)
    }

    /// The most edits that are made; each repairs all that one object of the file can.
    static let maxEditCount = 4

    /// The file.
    package private(set) var file: JSONObject
    /// The explanations, one a line.
    package private(set) var notes: [String] = []
    private let resource: ResourceIdentifier

    /// Makes the strictest file for a resource and an authorization server.
    package init(guarding resource: ResourceIdentifier, trusting server: DiscoveredAuthorizationServer) {
        self.init(guarding: resource, Self.entry(of: server), issuer: server.issuer)
        guard server.jwksURI == nil else { return }
        notes.append(
            "$.authorization_servers[0].introspection: the server publishes no keys, so it is asked about each "
                + "token (RFC 7662). Register this API there, and replace the placeholders.")
    }

    /// Makes the strictest file with an entry for the issuer; an empty one is left out.
    package init(guarding resource: ResourceIdentifier, _ entry: JSONObject, issuer: String) {
        self.resource = resource
        let path = resource.url.path
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        file = [:]
        if entry.members.count > 1 { file["authorization_servers"] = [.object(entry)] }
        file["resources"] = [
            [
                "metadata": [
                    "resource": .string(resource.text), "authorization_servers": [.string(issuer)],
                    "bearer_methods_supported": ["header"],
                ],
                "routes": [
                    ["path": .string(base.isEmpty ? "/" : base), "respond": "principal"],
                    ["path": .string(base + "/{rest...}"), "respond": "principal"],
                ],
            ]
        ]
    }

    private static func entry(of server: DiscoveredAuthorizationServer) -> JSONObject {
        var entry: JSONObject = ["issuer": .string(server.issuer)]
        if server.issuer.hasPrefix("http://") { entry["allow_insecure_loopback"] = true }
        if server.jwksURI == nil { entry["introspection"] = introspectionPlaceholders }
        return entry
    }

    private static let introspectionPlaceholders: JSONValue = [
        "client_id": "YOUR-CLIENT-ID", "client_secret": "YOUR-CLIENT-SECRET",
    ]

    /// Changes the file until it accepts a token; with `nil`, only checks it.
    ///
    /// Sends the token nowhere: once the file introspects, the token is not looked at any more.
    package mutating func fit(_ token: String?) async -> Result {
        let result = await edit(for: token)
        guard case .fits = result else { return result }
        do throws(InvalidConfiguration) {
            // The consequence of each setting that accepts more than its default.
            notes += try ConfigurationFile(.object(file)).warnings.map(\.description)
        } catch {
            return .unreadable(error.findings.map(\.description).joined(separator: "; "))
        }
        notes.append(
            "$.resources[0].routes: \"principal\" shows who calls. Replace it with {\"proxy\": URL} to guard a "
                + "server, and add \"scopes\" to each route.")
        return result
    }

    private mutating func edit(for token: String?) async -> Result {
        guard let token else {
            notes.append(
                "Without a token, the file accepts what RFC 9068 defines, with the audience \(resource.text). "
                    + "With --token - it would fit the tokens of this server.")
            return .fits
        }
        for _ in 0...Self.maxEditCount {
            if introspects { return .fits }
            let explanation: Explanation
            do throws(Unusable) {
                explanation = try await explain(token)
            } catch {
                return .unreadable(error.description)
            }
            switch explanation.suggestion() {
            case nil:
                noteScopes(of: explanation)
                return .fits
            case .unsound(let why): return .unsound(why)
            case .settings(let settings)?: apply(settings, explanation)
            case _?: return .unsound("The advice is of a kind that this program does not know.")
            }
        }
        return .unsound("No \(Self.maxEditCount) changes of the file are enough.")
    }

    private var introspects: Bool {
        file["authorization_servers"]?.array?.contains { $0.object?["introspection"] != nil } ?? false
    }

    private struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    private func explain(_ token: String) async throws(Unusable) -> Explanation {
        do {
            let call = try ExplainedCall(method: "GET", url: resource.text, token: token, proof: nil)
            let resources = try ConfigurationFile(.object(file)).makeResources(
                relativeTo: "", onEvent: { _ in })
            return await resources[0].explain(call.head, judgingAllSteps: true)
        } catch let error as InvalidConfiguration {
            throw Unusable(description: error.findings.map(\.description).joined(separator: "; "))
        } catch {
            throw Unusable(description: "\(error)")
        }
    }

    private mutating func apply(_ settings: [SuggestedSetting], _ explanation: Explanation) {
        for step in explanation.steps where step.reason != nil {
            notes.append(
                "\(step.name) (\(step.clause)): by default \(step.expected ?? "another value") is expected; the "
                    + "token has \(step.got ?? "none").")
        }
        let edit = SuggestedEdit(of: settings, for: 0, named: resource.text, in: file)
        notes.append(
            "\(edit.place): set \(String(decoding: JSONValue.object(edit.members).serialized(), as: UTF8.self))"
        )
        file = edit.applied(to: file)
        if introspects {
            notes.append(
                "$.authorization_servers[0].introspection: the token is opaque, so the server is asked about each "
                    + "token (RFC 7662). Register this API there, and replace the placeholders. This token was "
                    + "not sent to it.")
        }
    }

    private mutating func noteScopes(of explanation: Explanation) {
        guard case .success(let token?) = explanation.decision else { return }
        let scopes = token.scopes.map(\.name).joined(separator: " ")
        notes.append(scopes.isEmpty ? "The token has no scopes." : "The token has the scopes: \(scopes).")
    }
}
