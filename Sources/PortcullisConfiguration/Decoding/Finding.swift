// SPDX-License-Identifier: MIT

/// An error or a warning about a configuration file.
///
/// The message contains a value from the file only if it cannot be a secret: a number, a word of a closed list.
/// The path contains keys.
package struct Finding: Sendable, Hashable, CustomStringConvertible {
    /// Whether a server can start with the file.
    package enum Severity: Sendable, Hashable {
        /// The server refuses the file.
        case error
        /// The server accepts the file, but its author may not want the effect.
        case warning
    }

    /// Error or warning.
    package let severity: Severity
    /// The JSONPath of the value: `$.resources[0].metadata.resource`.
    package let path: String
    /// What is wrong, and what would be right.
    package let message: String
    /// Whether the server logs this warning itself when it starts.
    package let isSaidAtStart: Bool

    init(_ severity: Severity, _ path: String, _ message: String, isSaidAtStart: Bool = false) {
        self.severity = severity
        self.path = path
        self.message = message
        self.isSaidAtStart = isSaidAtStart
    }

    /// One line: the path, a colon, the message.
    package var description: String {
        switch severity {
        case .error: "\(path): \(message)"
        case .warning: "\(path): warning: \(message)"
        }
    }
}

/// The findings of one file, in order of discovery.
final class FindingCollector {
    private(set) var findings: [Finding] = []

    var hasErrors: Bool { findings.contains { $0.severity == .error } }

    func error(_ path: JSONPath, _ message: String) {
        findings.append(Finding(.error, path.text, message))
    }

    /// Adds what another collector has found in a later part of the file.
    func add(_ others: [Finding]) {
        findings += others
    }

    func warning(_ path: JSONPath, _ message: String, isSaidAtStart: Bool = false) {
        findings.append(Finding(.warning, path.text, message, isSaidAtStart: isSaidAtStart))
    }
}

/// The path of a value in a JSON document, in JSONPath notation.
///
/// RFC 9535 §2.
struct JSONPath: Sendable, Hashable {
    static let root = JSONPath(text: "$")
    private static let maxNameCharacterCount = 64

    let text: String

    subscript(_ name: String) -> JSONPath {
        Self.isShorthand(name) ? followed(by: ".", name) : followed(by: "[\"", Self.escape(name), "\"]")
    }

    subscript(_ index: Int) -> JSONPath {
        followed(by: "[", String(index), "]")
    }

    /// Makes room for the whole text at once: a file has a path for each of its routes.
    private func followed(by opening: String, _ step: String, _ closing: String = "") -> JSONPath {
        var text = text
        text.reserveCapacity(
            text.utf8.count + opening.utf8.count + step.utf8.count + closing.utf8.count)
        text += opening
        text += step
        text += closing
        return JSONPath(text: text)
    }

    private static func isShorthand(_ name: String) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= maxNameCharacterCount, !(0x30...0x39).contains(first)
        else {
            return false
        }
        return bytes.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
            default: false
            }
        }
    }

    /// Shortens a text of the file to 64 characters, and escapes unprintable ones.
    static func escape(_ name: String) -> String {
        var result = ""
        for (index, scalar) in name.unicodeScalars.enumerated() {
            guard index < maxNameCharacterCount else { return result + "…" }
            switch scalar.value {
            case 0x22, 0x5C: result += "\\" + String(scalar)
            case 0x20...0x7E: result.unicodeScalars.append(scalar)
            default: result += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return result
    }
}
