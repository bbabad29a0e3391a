// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE

/// The resources of a configuration file of the example server, as targets of a check.
enum ConfigurationTargets {
    /// The targets, each at the line of the file that names it, and those with the profile `mcp`.
    ///
    /// - Throws: ``Misuse`` for a file that the server would refuse.
    static func read(_ path: String) throws(Misuse) -> (targets: [CheckTarget], mcp: Set<String>) {
        let bytes: [UInt8]
        do throws(InputFile.Unreadable) {
            bytes = try InputFile.contents(of: path, maxByteCount: ConfigurationFile.maxByteCount)
        } catch {
            throw Misuse("the file \(path) \(error.message)")
        }
        let file: ConfigurationFile
        do throws(InvalidConfiguration) {
            file = try ConfigurationFile(parsing: bytes)
        } catch {
            let problems = error.findings.prefix(20).map { "\n\($0)" }.joined()
            throw Misuse("the file \(path) is not valid:\(problems)")
        }
        guard !file.resources.isEmpty else { throw Misuse("the file \(path) has no resource") }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        var targets: [CheckTarget] = []
        var mcp: Set<String> = []
        for resource in file.resources {
            let url = resource.metadata.resource.text
            let line = line(of: url, in: lines)
            targets.append(CheckTarget(url, at: SourceAnchor(file: path, line: line)))
            if case .mcp = resource.profile { mcp.insert(url) }
        }
        return (targets, mcp)
    }

    /// The first line that has the URL as a string, or the first line of the file.
    private static func line(of url: String, in lines: [ArraySlice<UInt8>]) -> Int {
        let quoted = Array("\"\(url)\"".utf8)
        let index = lines.firstIndex { line in
            line.indices.contains { line[$0] == 0x22 && line[$0...].starts(with: quoted) }
        }
        return (index ?? 0) + 1
    }
}
