// SPDX-License-Identifier: MIT

import Foundation

extension String {
    /// Whether a literal text occurs, compared byte by byte: the rules search thirty thousand lines for
    /// twenty words.
    func holds(_ text: String) -> Bool { strstr(self, text) != nil }
}

/// The working tree that these tests were compiled from.
struct Repository {
    let root: URL

    /// Every file of the folders that the rules check, read once.
    private static let everything = ["Sources", "Tests", "Examples"].flatMap { Repository().read(below: $0) }

    /// Derived from this file's own path: `Tests/HouseRulesTests/Repository.swift`.
    init(file: String = #filePath) {
        root = URL(fileURLWithPath: file)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    /// Every file below a folder, sorted by path, without hidden files and byte-code caches.
    func files(below folder: String) -> [SourceFile] {
        Self.everything.filter { $0.path.hasPrefix(folder + "/") }
    }

    private func read(below folder: String) -> [SourceFile] {
        let base = root.appendingPathComponent(folder)
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var paths: [String] = []
        for case let path as String in walk {
            let parts = path.split(separator: "/")
            if parts.contains(where: { $0.hasPrefix(".") || $0 == "__pycache__" }) { continue }
            var isFolder: ObjCBool = false
            let whole = base.appendingPathComponent(path).path
            guard FileManager.default.fileExists(atPath: whole, isDirectory: &isFolder) else { continue }
            if !isFolder.boolValue { paths.append(folder + "/" + path) }
        }
        return paths.sorted().map { SourceFile(root: root, path: $0) }
    }

    func swiftFiles(below folders: String...) -> [SourceFile] {
        folders.flatMap { files(below: $0) }.filter { $0.name.hasSuffix(".swift") }
    }

    var topLevelNames: [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: root.path)
        return (names ?? []).sorted()
    }
}

/// One file of the repository and its text.
struct SourceFile {
    let path: String
    let lines: [String]

    /// The lines without comments and without the contents of string literals.
    let code: [String]

    init(root: URL, path: String) {
        let data = FileManager.default.contents(atPath: root.appendingPathComponent(path).path) ?? Data()
        self.init(path: path, text: String(decoding: data, as: UTF8.self))
    }

    init(path: String, text: String) {
        self.path = path
        lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        code = lines.map(Self.code)
    }

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// `Portcullis` for `Sources/Portcullis/Publish/Metadata.swift`.
    var target: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }

    /// The folder under the target: `Publish` in the example above, empty at the target's top.
    var folder: String {
        path.split(separator: "/").dropFirst(2).dropLast().joined(separator: "/")
    }

    func at(_ index: Int) -> String { "\(path):\(index + 1)" }

    /// The modules that this file imports, with the line's index.
    var imports: [(module: String, line: Int)] {
        let kinds: Set<Substring> = [
            "struct", "class", "enum", "protocol", "typealias", "func", "var", "let",
        ]
        var found: [(module: String, line: Int)] = []
        for (index, line) in lines.enumerated() where line.holds("import ") {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard let keyword = words.firstIndex(of: "import") else { continue }
            let access = words[..<keyword]
            guard access.allSatisfy({ $0.hasPrefix("@") || $0.allSatisfy(\.isLetter) }) else { continue }
            var rest = words[(keyword + 1)...]
            if let first = rest.first, kinds.contains(first), rest.count > 1 { rest = rest.dropFirst() }
            guard let module = rest.first?.split(separator: ".").first else { continue }
            found.append((String(module), index))
        }
        return found
    }

    /// One line without its `//` comment and with empty string literals, so that words in prose do not count.
    private static func code(of line: String) -> String {
        var kept: [UInt8] = []
        var isInString = false
        var previous = UInt8(ascii: " ")
        for byte in line.utf8 {
            if !isInString, previous == UInt8(ascii: "/"), byte == previous {
                kept.removeLast()
                break
            }
            if byte == UInt8(ascii: "\""), previous != UInt8(ascii: "\\") { isInString.toggle() }
            if !isInString || byte == UInt8(ascii: "\"") { kept.append(byte) }
            previous = byte
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
