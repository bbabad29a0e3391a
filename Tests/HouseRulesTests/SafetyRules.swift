// SPDX-License-Identifier: MIT

import Testing

/// Where the compiler cannot prove safety, a sentence must.
@Suite("House rules: safety sentences")
struct SafetyRules {
    let repository = Repository()

    /// Spellings that switch off a check of the compiler.
    static let escapes = [
        "@unchecked Sendable", "nonisolated(unsafe)", "unowned(unsafe)", "unsafeBitCast(", "unsafeDowncast(",
        "assumingMemoryBound(", "bindMemory(", "withMemoryRebound(", "Unmanaged<", "Unmanaged.",
        "unsafeUninitializedCapacity", ".allocate(byteCount:", ".allocate(capacity:",
        "OpaquePointer(bitPattern", "@exclusivity(unchecked)",
    ]

    /// The number of lines above in which the sentence may start: a docstring and an attribute fit in
    /// between.
    static let reach = 10

    static func silentEscapes(in file: SourceFile) -> [String] {
        file.code.enumerated().compactMap { index, line in
            guard escapes.contains(where: { line.holds($0) }) else { return nil }
            let nearby = file.lines[max(0, index - reach)...min(file.lines.count - 1, index + 1)]
            return nearby.contains { $0.holds("SAFETY: ") } ? nil : file.at(index)
        }
    }

    @Test func `every escape from the compiler's checks says why it is safe`() {
        #expect(repository.swiftFiles(below: "Sources", "Examples").flatMap(Self.silentEscapes) == [])
    }

    @Test func `a file that keeps a raw pointer says which object owns the memory`() {
        let breaches = repository.swiftFiles(below: "Sources", "Examples").flatMap { file -> [String] in
            let stored = file.code.enumerated().filter { _, line in Self.storesPointer(line) }
            let explained = file.lines.contains { $0.holds("SAFETY: ") }
            return explained ? [] : stored.map { file.at($0.offset) }
        }
        #expect(breaches == [])
    }

    /// A stored property: a `let` or `var` with a written pointer type at the depth of a type's members.
    static func storesPointer(_ line: String) -> Bool {
        let indentation = line.prefix { $0 == " " }.count
        guard indentation == 4, !line.holds("func "), !line.holds("{") else { return false }
        let words = line.split(separator: " ")
        guard words.contains("let") || words.contains("var"), let colon = line.firstIndex(of: ":") else {
            return false
        }
        let type = line[colon...]
        let isPointer = type.contains("Unsafe") && type.contains("Pointer") || type.contains("OpaquePointer")
        return isPointer && !type.contains("->")
    }

    @Test func `the rule distinguishes escapes with and without a sentence`() {
        let silent = "final class Box: @unchecked Sendable {\n    let memory: UnsafeMutableRawPointer\n}"
        let file = SourceFile(path: "Sources/X/A.swift", text: silent)
        #expect(Self.silentEscapes(in: file) == ["Sources/X/A.swift:1"])
        #expect(file.lines.map(Self.storesPointer) == [false, true, false])
        let spoken = SourceFile(path: "Sources/X/A.swift", text: "// SAFETY: never mutated.\n" + silent)
        #expect(Self.silentEscapes(in: spoken) == [])
    }
}
