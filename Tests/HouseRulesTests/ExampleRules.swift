// SPDX-License-Identifier: MIT

import Testing

/// The examples that teach: `Examples/1-ScopedRoutes` and those after it.
@Suite("House rules: examples")
struct ExampleRules {
    let repository = Repository()

    static let maximumLineCount = 80
    /// The most lines by which examples 2 to 4 differ from example 1, removed and added.
    static let maximumDifference = 20

    /// The folders of the examples, in order.
    var folders: [String] {
        let names = repository.files(below: "Examples").map(\.target)
        return Set(names).filter { $0.first?.isNumber == true }.sorted()
    }

    func files(of folder: String) -> [SourceFile] { repository.files(below: "Examples/\(folder)") }

    func code(of folder: String) -> [String] {
        files(of: folder).filter { $0.name.hasSuffix(".swift") }.flatMap(Self.codeLines)
    }

    /// The lines with code, without blank lines and comments.
    static func codeLines(of file: SourceFile) -> [String] {
        zip(file.lines, file.code).filter { _, code in code.contains { $0 != " " } }.map(\.0)
    }

    @Test func `there are eight, numbered`() {
        #expect(folders.compactMap { $0.first?.wholeNumberValue } == Array(1...8))
    }

    @Test func `each has one source file of at most 80 lines of code, a README and a transcript`() {
        for folder in folders {
            let names = files(of: folder).map(\.name)
            #expect(names.count { $0.hasSuffix(".swift") } == 1, "\(folder)")
            #expect(names.contains("README.md") && names.contains("transcript.txt"), "\(folder)")
            let count = code(of: folder).count
            #expect(count > 20 && count <= Self.maximumLineCount, "\(folder): \(count) lines of code")
        }
    }

    @Test func `each README says how to run it, and what to look at`() {
        for folder in folders {
            let readme = files(of: folder).first { $0.name == "README.md" }?.lines ?? []
            #expect(readme.first?.hasPrefix("# ") == true, "\(folder)")
            #expect(readme.filter { $0.hasPrefix("## ") } == ["## Run it", "## Look at"], "\(folder)")
        }
    }

    @Test func `examples 2 to 4 are small differences to example 1`() {
        let first = code(of: folders[0])
        for folder in folders[1...3] {
            let count = code(of: folder).difference(from: first).count
            #expect(count > 0 && count <= Self.maximumDifference, "\(folder): \(count) lines")
        }
    }

    @Test func `no transcript has a token`() {
        let transcripts = repository.files(below: "Examples").filter { $0.name == "transcript.txt" }
        #expect(transcripts.count == 8)
        #expect(transcripts.flatMap { file in file.lines.filter { $0.holds("eyJ") } } == [])
    }

    @Test func `comments and blank lines are not code`() {
        let file = SourceFile(path: "Examples/9-X/main.swift", text: "// a\n\nlet b = 1  // c\n    // d\n}\n")
        #expect(Self.codeLines(of: file) == ["let b = 1  // c", "}"])
    }
}
