// SPDX-License-Identifier: MIT

/// One thing that is wrong, or worth a warning, in a configuration file.
///
/// The message never holds a value of the file, since values may be secrets; the path names its keys.
package struct Finding: Sendable, Hashable, CustomStringConvertible {
    /// Whether the file can be served.
    package enum Severity: Sendable, Hashable {
        /// It cannot.
        case error
        /// It can, but its author should know.
        case warning
    }

    /// Whether the file can be served in spite of it.
    package let severity: Severity
    /// The place in the file: `$.resources[0].metadata.resource`.
    package let path: String
    /// What is wrong and what would be right.
    package let message: String
    /// Whether a server with this configuration says so itself when it starts.
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

/// The findings of one file, in the order in which they were made.
final class FindingCollector {
    private(set) var findings: [Finding] = []

    var hasErrors: Bool { findings.contains { $0.severity == .error } }

    func error(_ path: JSONPath, _ message: String) {
        findings.append(Finding(.error, path.text, message))
    }

    func warning(_ path: JSONPath, _ message: String, isSaidAtStart: Bool = false) {
        findings.append(Finding(.warning, path.text, message, isSaidAtStart: isSaidAtStart))
    }
}

/// A place in a JSON document, spelled as in JSONPath.
///
/// RFC 9535 §2.
struct JSONPath: Sendable, Hashable {
    static let root = JSONPath(text: "$")
    private static let maxNameCharacterCount = 64

    let text: String

    subscript(_ name: String) -> JSONPath {
        JSONPath(text: text + (Self.isShorthand(name) ? "." + name : "[\"" + Self.escape(name) + "\"]"))
    }

    subscript(_ index: Int) -> JSONPath {
        JSONPath(text: "\(text)[\(index)]")
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

    /// A key is the only text of the file that is repeated, so it is kept short and printable.
    private static func escape(_ name: String) -> String {
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
