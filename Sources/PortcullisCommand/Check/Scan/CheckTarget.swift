// SPDX-License-Identifier: MIT

import Portcullis

/// One URL to check, and the line that names it.
package struct CheckTarget: Sendable, Hashable {
    /// The URL.
    package let url: String
    /// The line of the targets file, or `nil` for a URL of the command line.
    package let anchor: SourceAnchor?

    package init(_ url: String, at anchor: SourceAnchor? = nil) {
        self.url = url
        self.anchor = anchor
    }

    /// The host: scheme, address and port, or the whole text if it is not a URL.
    var host: String { HostTurns.host(of: url) }

    /// The maximum length of a targets file, in bytes.
    package static let maximumFileByteCount = 16_777_216
    /// The maximum number of targets in a file.
    package static let maximumCount = 100_000

    /// Reads a targets file: one URL a line; empty lines and lines that begin with `#` are skipped.
    ///
    /// A URL that comes again is checked once.
    ///
    /// - Parameter count: The maximum number of targets.
    /// - Throws: ``Misuse`` for a file without a URL and for too many of them.
    package static func list(
        _ bytes: [UInt8], in file: String, upTo count: Int = maximumCount
    ) throws(Misuse) -> [CheckTarget] {
        var targets: [CheckTarget] = []
        var seen: Set<String> = []
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            let text = line.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
            guard let first = text.first, first != 0x23 else { continue }
            let url = String(decoding: Array(text), as: UTF8.self)
            guard seen.insert(url).inserted else { continue }
            guard targets.count < count else {
                throw Misuse("the file \(file) has more than \(count) URLs")
            }
            targets.append(CheckTarget(url, at: SourceAnchor(file: file, line: index + 1)))
        }
        guard !targets.isEmpty else { throw Misuse("the file \(file) has no URL") }
        return targets
    }
}
