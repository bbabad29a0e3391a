// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

/// An answer of the gate under test.
struct ConformanceAnswer: Sendable {
    let status: Int
    let body: [UInt8]
    private let fields: Fields

    init(_ response: HTTPClient.Response) {
        status = response.status.code
        fields = response.fields
        body = response.body
    }

    func values(of name: FieldName) -> [String] { Array(fields.values(of: name)) }

    var json: JSONObject? { (try? JSONValue.parse(body))?.object }

    var hasJSON: Bool {
        values(of: .contentType).first?.prefix { $0 != ";" }.lowercased() == "application/json"
    }

    /// The whole answer as text, to look for what must not be in it.
    var text: String {
        fields.map { "\($0.name.spelling): \($0.value)" }.joined(separator: "\n")
            + String(decoding: body, as: UTF8.self)
    }

    /// The challenges of all field lines, in order.
    ///
    /// A line may have several: servers may join lines. RFC 9110 §5.3, §11.6.1.
    var challenges: [Challenge] { values(of: .wwwAuthenticate).flatMap(Challenge.list) }

    /// A challenge whose values are tokens, or quoted strings without escapes.
    ///
    /// RFC 9110 §11.6.1.
    struct Challenge {
        let scheme: String
        private var parameters: [String: String] = [:]

        /// The challenges of a field line.
        static func list(_ line: String) -> [Challenge] {
            var challenges: [Challenge] = []
            var rest = line[...]
            while true {
                rest = rest.drop { $0 == " " || $0 == "," }
                guard !rest.isEmpty else { return challenges }
                let word = rest.prefix { !" ,=".contains($0) }
                rest = rest.dropFirst(word.count).drop { $0 == " " }
                // A scheme is a word without an equals sign after it.
                guard rest.first == "=", !challenges.isEmpty else {
                    challenges.append(Challenge(scheme: String(word)))
                    if rest.first == "=" { rest = rest.dropFirst() }
                    continue
                }
                rest = rest.dropFirst()
                let isQuoted = rest.first == "\""
                if isQuoted { rest = rest.dropFirst() }
                let value = rest.prefix { isQuoted ? $0 != "\"" : $0 != "," }
                challenges[challenges.count - 1].parameters[word.lowercased()] = String(value)
                rest = rest.dropFirst(value.count + (isQuoted ? 1 : 0))
            }
        }

        private init(scheme: String) {
            self.scheme = scheme
        }

        subscript(name: String) -> String? { parameters[name] }
    }
}
