// SPDX-License-Identifier: MIT

/// A line of a file that names a checked URL, so that code hosts can show findings there.
package struct SourceAnchor: Sendable, Hashable {
    /// The path, as given on the command line.
    package let file: String
    /// The line, from 1.
    package let line: Int

    package init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// Parses `FILE` or `FILE:LINE`; `nil` for an empty path and for line 0.
    package init?(_ text: String) {
        let digits = text.utf8.reversed().prefix { 0x30...0x39 ~= $0 }.count
        let head = text.utf8.dropLast(digits)
        guard digits > 0, head.last == 0x3A, let line = Int(text.utf8.suffix(digits).text) else {
            guard !text.isEmpty else { return nil }
            self.init(file: text, line: 1)
            return
        }
        let file = head.dropLast().text
        guard line > 0, !file.isEmpty else { return nil }
        self.init(file: file, line: line)
    }
}

extension Substring.UTF8View {
    /// The text of the bytes.
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
