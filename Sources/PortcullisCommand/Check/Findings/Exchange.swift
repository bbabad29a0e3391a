// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

/// One request and its response, as a report shows them: bounded, printable, without credentials.
package struct Exchange: Sendable, Hashable {
    /// The maximum number of characters of each part.
    package static let maximumCharacterCount = 256

    /// The method, the URL, and the fields that matter.
    package let sent: String
    /// The status and the fields that matter, or why there was no response.
    package let received: String

    package init(sent: String, received: String) {
        self.sent = Self.shown(sent)
        self.received = Self.shown(received)
    }

    /// The parts of an earlier exchange, which are bounded and printable already.
    init(shownSent sent: String, shownReceived received: String) {
        self.sent = sent
        self.received = received
    }

    /// Text of another party, bounded and printable.
    static func shown(_ text: String) -> String {
        ForeignText.shown(text, maximum: maximumCharacterCount)
    }

    /// A request and its response.
    init(_ method: Method, _ url: String, with fields: Fields = [:], _ response: FetchResponse) {
        self.init(sent: Self.sent(method, url, fields), received: Self.received(response))
    }

    /// A request without a response.
    init(_ method: Method, _ url: String, with fields: Fields = [:], _ error: FetchError) {
        self.init(sent: Self.sent(method, url, fields), received: "no response: \(error)")
    }

    private static func sent(_ method: Method, _ url: String, _ fields: Fields) -> String {
        let shown = fields.filter { !["Accept", "Content-Type"].contains($0.name) }.map { field in
            // Credentials are shown by their scheme.
            let value =
                [.authorization, "DPoP"].contains(field.name)
                ? field.value.utf8.prefix { $0 != 0x20 }.count < field.value.utf8.count
                    ? String(field.value.prefix { $0 != " " }) + " ..." : "..."
                : field.value
            return "\(field.name): \(value)"
        }
        return (["\(method.name) \(url)"] + shown).joined(separator: ", ")
    }

    private static let telling: [FieldName] = [
        .wwwAuthenticate, .location, .allow, .contentType, .cacheControl, .retryAfter,
        "Access-Control-Allow-Origin",
    ]

    private static func received(_ response: FetchResponse) -> String {
        let fields = telling.flatMap { name in response.fields.values(of: name).map { "\(name): \($0)" } }
        return (["\(response.status.code)"] + fields).joined(separator: ", ")
    }
}
