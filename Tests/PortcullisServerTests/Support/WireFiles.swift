// SPDX-License-Identifier: MIT

import Foundation

/// One file of `Fixtures/wire`: raw bytes whose name states the rule, after the status if they are refused.
struct WireFile: Sendable {
    let name: String
    let bytes: [UInt8]

    var status: Int? { Int(name.prefix(3)) }

    /// The bytes in a few pieces.
    var pieces: [[UInt8]] {
        let size = max(1, bytes.count / 4)
        return stride(from: 0, to: bytes.count, by: size).map {
            Array(bytes[$0..<min($0 + size, bytes.count)])
        }
    }

    static func all(in folder: String) -> [WireFile] {
        let root = URL(filePath: #filePath).appending(path: "../../../../Fixtures/wire/\(folder)")
            .standardized
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path())) ?? []
        return names.filter { $0.hasSuffix(".http") }.sorted().compactMap { name in
            guard let data = try? Data(contentsOf: root.appending(path: name)) else { return nil }
            return WireFile(name: String(name.dropLast(5)), bytes: Array(data))
        }
    }
}
