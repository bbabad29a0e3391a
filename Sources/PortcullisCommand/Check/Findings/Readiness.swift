// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
package import PortcullisJOSE

/// The agent-readiness score that public scanners compute.
///
/// A document (status 200, JSON) scores 0.5, and at least one URL in `authorization_servers` another 0.5.
/// A document without such a list is a warning with 0.3 in total; no document is a failure with 0.
package struct Readiness: Sendable, Hashable {
    /// Whether there is a document: status 200 and a JSON object.
    package let hasDocument: Bool
    /// Whether `authorization_servers` has at least one URL.
    package let hasAuthorizationServer: Bool

    /// Scores a response.
    package init(_ response: FetchResponse) {
        let isDocument = response.status == .ok && response.isJSON
        self.init(document: isDocument ? (try? JSONValue.parse(response.body))?.object : nil)
    }

    /// Scores a document; `nil`: there is none.
    package init(document: JSONObject?) {
        hasDocument = document != nil
        hasAuthorizationServer =
            document?["authorization_servers"]?.array?.contains { $0.string.map(Self.isURL) ?? false }
            ?? false
    }

    /// The score that a report has.
    init(json: JSONObject) {
        hasDocument = json["document"]?.bool ?? false
        hasAuthorizationServer = json["authorization_servers"]?.bool ?? false
    }

    private static func isURL(_ text: String) -> Bool { (try? HTTPURL(text)) != nil }

    /// From 0 to 1.
    package var score: Double {
        switch (hasDocument, hasAuthorizationServer) {
        case (true, true): 1
        case (true, false): 0.3
        case (false, _): 0
        }
    }

    /// The level that scanners report.
    package var level: Finding.Level {
        switch (hasDocument, hasAuthorizationServer) {
        case (true, true): .pass
        case (true, false): .warn
        case (false, _): .fail
        }
    }

    /// The score in the JSON report.
    package var json: JSONObject {
        [
            "result": .string(level.rawValue), "score": JSONNumber(score).map(JSONValue.number) ?? .null,
            "document": .bool(hasDocument), "authorization_servers": .bool(hasAuthorizationServer),
        ]
    }
}
