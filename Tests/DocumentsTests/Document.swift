// SPDX-License-Identifier: MIT

import Foundation

/// The working tree that these tests were compiled from.
enum Tree {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The text of a file, or `nil` if there is none.
    static func text(of path: String) -> String? {
        FileManager.default.contents(atPath: root.appendingPathComponent(path).path)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The sorted paths below a folder that end in one of these suffixes, without those in hidden folders.
    static func paths(below folder: String, endingIn suffixes: String...) -> [String] {
        let walk = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
        let paths = (walk?.allObjects ?? []).compactMap { $0 as? String }
        let visible = paths.filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
        return visible.filter { path in suffixes.contains { path.hasSuffix($0) } }.sorted()
            .map { folder + "/" + $0 }
    }

    static let recordsDocuments = ProcessInfo.processInfo.environment["PORTCULLIS_RECORD_DOCUMENTS"] == "1"
}

/// A document in Markdown.
struct Document {
    let path: String
    let text: String

    struct Block {
        let language: String
        let text: String
        /// The line of the opening fence, from 1.
        let line: Int
    }

    /// The README, the articles of the catalogs, and the documents of the examples and of `.github`.
    static let all: [Document] =
        (["README.md"] + Tree.paths(below: "Sources", endingIn: ".md")
        + Tree.paths(below: "Examples", endingIn: ".md") + Tree.paths(below: ".github", endingIn: ".md"))
        .map { Document(path: $0) }

    init(path: String) {
        self.path = path
        text = Tree.text(of: path) ?? ""
    }

    /// The fenced blocks, without the indentation of a list.
    var blocks: [Block] {
        var blocks: [Block] = []
        var open: (language: String, line: Int, lines: [String])?
        for (index, line) in text.components(separatedBy: "\n").enumerated() {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            guard trimmed.hasPrefix("```") else {
                open?.lines.append(line)
                continue
            }
            if let (language, line, lines) = open {
                blocks.append(Block(language: language, text: withoutIndentation(lines), line: line))
                open = nil
            } else {
                open = (String(trimmed.dropFirst(3)), index + 1, [])
            }
        }
        return blocks
    }
}

/// Removes the spaces that all lines begin with.
func withoutIndentation(_ lines: [String]) -> String {
    let depth = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    return lines.map { String($0.dropFirst(depth)) }.joined(separator: "\n")
}

/// The snippets of the compiled files: the lines between `// snippet: NAME` and `// end`.
///
/// Joins parts of one name with an empty line, so that imports and statements can belong together.
func snippets() -> [String: String] {
    let paths =
        Tree.paths(below: "Tests/DocumentsTests/Snippets", endingIn: ".swift")
        + Tree.paths(below: "Tests/PortcullisCommandTests/Guides", endingIn: ".swift")
        + Tree.paths(below: "Examples", endingIn: ".swift")
    var snippets: [String: String] = [:]
    for path in paths {
        var open: (name: String, lines: [String])?
        for line in (Tree.text(of: path) ?? "").components(separatedBy: "\n") {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            if trimmed.hasPrefix("// snippet: ") {
                open = (String(trimmed.dropFirst(12)), [])
            } else if trimmed == "// end", let (name, lines) = open {
                let text = withoutIndentation(lines)
                snippets[name] = snippets[name].map { $0 + "\n\n" + text } ?? text
                open = nil
            } else {
                open?.lines.append(line)
            }
        }
    }
    return snippets
}
