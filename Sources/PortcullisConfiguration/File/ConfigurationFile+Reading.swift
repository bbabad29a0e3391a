// SPDX-License-Identifier: MIT

import PortcullisJOSE

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension ConfigurationFile {
    /// Reads and decodes a file.
    ///
    /// Blocks its thread while it reads at most ``maxByteCount`` bytes.
    ///
    /// - Parameter cores: The number of cores that decode and check the resources of a long file.
    package init(path: String, onCores cores: Int = 1) throws(InvalidConfiguration) {
        do throws(InvalidConfiguration) {
            try self.init(parsing: Self.contents(of: path, upTo: Self.maxByteCount), onCores: cores)
        } catch {
            throw error.naming(path)
        }
    }

    /// The maximum length of a file that the configuration names, such as a key: 4 MiB.
    static let maxNamedFileByteCount = 4_194_304

    /// Reads a file as text, without a byte order mark.
    static func contents(
        of path: String, upTo maxByteCount: Int = maxNamedFileByteCount
    ) throws(InvalidConfiguration) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw InvalidConfiguration("cannot be opened: \(systemMessage())") }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw InvalidConfiguration("cannot be read: \(systemMessage())") }
            if count == 0 { return ByteOrderMark.removed(from: contents) }
            contents += piece.prefix(count)
            guard contents.count <= maxByteCount else {
                throw InvalidConfiguration(
                    "must be at most \(maxByteCount) bytes long, the maximum length of the file")
            }
        }
    }

    /// The system's message if a file cannot be opened, or `nil` if it can.
    static func whyUnreadable(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return systemMessage() }
        close(descriptor)
        return nil
    }

    /// Whether a file's mode lets its group or other users read or write it; `false` if there is no such
    /// file.
    static func isOpenToOthers(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & 0o066 != 0
    }

    private static func systemMessage() -> String {
        strerror(errno).map { String(cString: $0) } ?? "unknown reason"
    }

    /// Resolves a file name against the directory of the configuration file that names it.
    package static func resolve(_ name: String, relativeTo file: String) -> String {
        guard !name.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return name }
        return file[...slash] + name
    }
}

extension InvalidConfiguration {
    /// The same problems; those of the file as a whole name it.
    fileprivate func naming(_ path: String) -> InvalidConfiguration {
        InvalidConfiguration(
            findings: findings.map { finding in
                guard finding.path == JSONPath.root.text, finding.severity == .error else { return finding }
                return Finding(.error, finding.path, TerminalText.printable(path) + " " + finding.message)
            })
    }
}
