// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

/// What a response tells about the inside of a deployment.
enum Disclosure {
    private static let traces = [
        "Traceback (most recent call last)", "Exception in thread ", "goroutine 1 [", "node_modules/",
        ".java:", " at System.", "Stack trace:", ".py\", line ", ".rb:", "org.springframework.",
    ]
    private static let internalNames = [".internal", ".svc.cluster", ".localdomain", "192.168.", "//10."]

    /// The findings on a response that refuses a call.
    static func findings(_ url: String, _ response: FetchResponse) -> [Finding] {
        let exchange = Exchange(.get, url, response)
        var findings: [Finding] = []
        for name: FieldName in ["Server", "X-Powered-By", "X-AspNet-Version"] {
            guard let value = response.fields[name], value.utf8.contains(where: { 0x30...0x39 ~= $0 }) else {
                continue
            }
            findings.append(
                Finding(
                    .note, "disclosure.version", "\(name) shows a version: \(Exchange.shown(value))",
                    about: "\(name)", exchange: exchange))
        }
        guard response.status.code >= 400 else { return findings }
        let body = String(decoding: response.body, as: UTF8.self)
        let status = response.status.code
        if traces.contains(where: { body.contains($0) }) {
            findings.append(
                Finding(
                    .note, "disclosure.body", "The body of a \(status) has a stack trace.", about: "trace",
                    exchange: exchange))
        }
        if let version = productVersion(in: body) {
            findings.append(
                Finding(
                    .note, "disclosure.body",
                    "The body of a \(status) shows a version: \(Exchange.shown(version))", about: "version",
                    exchange: exchange))
        }
        if internalNames.contains(where: { body.contains($0) }) {
            findings.append(
                Finding(
                    .note, "disclosure.body", "The body of a \(status) has an internal host.", about: "host",
                    exchange: exchange))
        }
        return findings
    }

    /// The first product with a version, such as `nginx/1.25.3`; the protocol's own does not count.
    static func productVersion(in text: String) -> String? {
        for word in text.utf8.split(whereSeparator: { !isProductCharacter($0) }) {
            let parts = word.split(separator: 0x2F, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = parts.first, name.count > 2, parts[1].contains(0x2E),
                parts[1].first.map(CharacterClass.isDigit) == true,
                name.allSatisfy({ (0x61...0x7A).contains($0 | 0x20) || $0 == 0x2D }),
                !name.elementsEqual("HTTP".utf8)
            else { continue }
            return String(decoding: word, as: UTF8.self)
        }
        return nil
    }

    private static func isProductCharacter(_ byte: UInt8) -> Bool {
        CharacterClass.isDigit(byte) || (0x61...0x7A).contains(byte | 0x20)
            || [0x2D, 0x2E, 0x2F].contains(byte)
    }
}
