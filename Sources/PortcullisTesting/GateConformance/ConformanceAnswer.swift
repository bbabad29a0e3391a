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

    /// The challenges, each from a field line of its own.
    var challenges: [Challenge] { values(of: .wwwAuthenticate).map(Challenge.init) }

    /// A challenge whose values are quoted strings without escapes.
    ///
    /// RFC 9110 §11.6.1.
    struct Challenge {
        let scheme: String
        private var parameters: [String: String] = [:]

        init(_ line: String) {
            scheme = String(line.prefix { $0 != " " })
            var rest = line.dropFirst(scheme.count)
            while let equals = rest.firstIndex(of: "=") {
                let name = rest[..<equals].drop { $0 == " " || $0 == "," }
                rest = rest[rest.index(after: equals)...]
                let isQuoted = rest.first == "\""
                if isQuoted { rest = rest.dropFirst() }
                let value = rest.prefix { isQuoted ? $0 != "\"" : $0 != "," }
                parameters[name.lowercased()] = String(value)
                rest = rest.dropFirst(value.count + (isQuoted ? 1 : 0))
            }
        }

        subscript(name: String) -> String? { parameters[name] }
    }
}
