// SPDX-License-Identifier: MIT

import Testing

/// What the sources contain, and what they must not contain.
@Suite("House rules: text")
struct TextRules {
    let repository = Repository()

    static let spdx = "SPDX-License-Identifier: MIT"

    @Test func `every Swift file and C header starts with its licence`() {
        let files = repository.files(below: "Sources") + repository.swiftFiles(below: "Tests", "Examples")
        let missing = files.filter { file in
            // A manifest has to begin with the tools version.
            let head = file.name == "Package.swift" ? file.lines.prefix(2) : file.lines.prefix(1)
            return [".swift", ".h"].contains { file.name.hasSuffix($0) } && !head.contains("// " + Self.spdx)
        }
        #expect(missing.map(\.path) == [])
        let manifest = SourceFile(root: repository.root, path: "Package.swift")
        #expect(manifest.lines.prefix(2).contains("// " + Self.spdx))
    }

    @Test func `every script carries its licence`() {
        let scripts = (repository.files(below: "Tests") + repository.files(below: "Examples")).filter {
            $0.name.hasSuffix(".py") || $0.lines.first?.hasPrefix("#!") == true
        }
        let missing = scripts.filter { file in !file.lines.prefix(3).contains("# " + Self.spdx) }
        #expect(missing.map(\.path) == [])
    }

    /// Words that no file of Sources contains, including comments and literals.
    static let forbiddenAnywhere = ["TODO", "FIXME"]

    static func isForbiddenCode(_ line: String) -> Bool {
        for word in ["fatalError(", "try!", "as!"] where occurs(word, in: line) { return true }
        return false
    }

    /// Whether a word occurs outside a longer name: `print(` does not occur in `fingerprint(`.
    static func occurs(_ word: String, in line: String) -> Bool {
        guard line.holds(word) else { return false }
        var rest = Substring(line)
        while let found = rest.range(of: word) {
            let before = rest[..<found.lowerBound].last
            if before.map({ !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "." }) ?? true { return true }
            rest = rest[found.upperBound...]
        }
        return false
    }

    @Test func `the sources have no TODO and crash on no input`() {
        let breaches = repository.swiftFiles(below: "Sources").flatMap { file in
            zip(file.lines, file.code).enumerated().compactMap { index, line in
                let promised = Self.forbiddenAnywhere.contains { Self.occurs($0, in: line.0) }
                let mayEnd = file.path == Self.mistakes && !line.1.holds("try!") && !line.1.holds("as!")
                return promised || (Self.isForbiddenCode(line.1) && !mayEnd) ? file.at(index) : nil
            }
        }
        #expect(breaches == [])
    }

    /// The one file that ends the program because of a mistake in a declaration.
    static let mistakes = "Sources/PortcullisHTTP/Syntax/DeclarationMistake.swift"

    @Test func `a mistake in a declaration ends release builds with its sentence`() {
        // preconditionFailure prints nothing there: it is for impossible failures of OpenSSL, and for the
        // test kit.
        let breaches = repository.swiftFiles(below: "Sources", "Examples").flatMap { file -> [String] in
            guard !file.name.hasSuffix("+OpenSSL.swift"), file.target != "PortcullisTesting" else {
                return []
            }
            return file.code.enumerated().compactMap { index, line in
                Self.occurs("preconditionFailure(", in: line) ? file.at(index) : nil
            }
        }
        #expect(breaches == [])
        let ends = repository.swiftFiles(below: "Sources").filter { file in
            file.code.contains { Self.occurs("fatalError(", in: $0) }
        }
        #expect(ends.map(\.path) == [Self.mistakes])
    }

    @Test func `only the executables print`() {
        let libraries = repository.swiftFiles(below: "Sources").filter { $0.target != "PortcullisCommand" }
        let breaches = libraries.flatMap { file in
            file.code.enumerated().compactMap { index, line in
                ["print(", "debugPrint(", "dump("].contains { Self.occurs($0, in: line) }
                    ? file.at(index) : nil
            }
        }
        #expect(breaches == [])
    }

    @Test func `the repository's top level is the short list`() {
        let agreed: Set<String> = ["Examples", "Fixtures", "Package.swift", "README.md", "Sources", "Tests"]
        let others = repository.topLevelNames.filter { !$0.hasPrefix(".") && !agreed.contains($0) }
        #expect(others == [])
    }

    @Test func `the package depends on no other`() {
        let manifest = SourceFile(root: repository.root, path: "Package.swift")
        #expect(manifest.lines.contains("let package = Package("))
        #expect(manifest.lines.filter { $0.holds(".package(") } == [])
    }

    static func declaredTypes(in file: SourceFile) -> [(name: String, line: Int)] {
        let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        return file.code.enumerated().compactMap { index, line in
            let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
            guard let kind = words.firstIndex(where: kinds.contains), kind + 1 < words.count else {
                return nil
            }
            guard !words[..<kind].contains("import") else { return nil }
            return (String(words[kind + 1]), index)
        }
    }

    @Test func `no type is named like a module`() {
        let files = repository.swiftFiles(below: "Sources", "Examples")
        let modules = Set(files.map(\.target)).union(ImportRules.allowed.keys)
        let breaches = files.flatMap { file in
            Self.declaredTypes(in: file).filter { modules.contains($0.name) }.map { file.at($0.line) }
        }
        #expect(breaches == [])
    }

    @Test func `the scan of a line skips longer names, literals and comments`() {
        #expect(Self.occurs("print(", in: "    print(x)"))
        #expect(!Self.occurs("print(", in: "thumbprint(key); key.print(); my_print(x)"))
        #expect(Self.isForbiddenCode("let a = try! f()"))
        #expect(Self.isForbiddenCode("let a = b as! C"))
        #expect(!Self.isForbiddenCode("case alias!"))
        let file = SourceFile(
            path: "Sources/X/A.swift", text: "let a = \"try! \\\" as!\" // print(\nenum Portcullis {}")
        #expect(!Self.isForbiddenCode(file.code[0]))
        #expect(!Self.occurs("print(", in: file.code[0]))
        #expect(Self.declaredTypes(in: file).map(\.name) == ["Portcullis"])
    }
}

extension Substring {
    /// The first occurrence of a literal text; Foundation's version bridges, and is slow on ten thousand
    /// lines.
    fileprivate func range(of text: String) -> Range<Substring.Index>? {
        guard let first = text.first else { return nil }
        var start = startIndex
        while let candidate = self[start...].firstIndex(of: first) {
            if self[candidate...].hasPrefix(text) {
                return candidate..<index(candidate, offsetBy: text.count)
            }
            start = index(after: candidate)
        }
        return nil
    }
}
