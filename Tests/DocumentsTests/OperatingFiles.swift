// SPDX-License-Identifier: MIT

import Foundation
import PortcullisJOSE
import Testing

/// Compares the files for operators with what the articles quote, and with the server's metrics.
@Suite("Documents: files for operators")
struct OperatingFiles {
    static let folder = "Examples/Operating"
    static let articles = ["Deploying", "Monitoring"].map {
        "Sources/PortcullisServer/PortcullisServer.docc/\($0).md"
    }

    @Test func `the articles quote lines of the files`() {
        let files = Self.texts.values.map(Self.flush)
        var count = 0
        for article in Self.articles {
            for block in Document(path: article).blocks where ["ini", "yaml"].contains(block.language) {
                count += 1
                let isThere = files.contains { $0.contains(Self.flush(block.text)) }
                #expect(isThere, "\(article):\(block.line)")
            }
        }
        #expect(count >= 4)
    }

    /// A text without indentation, in line breaks.
    private static func flush(_ text: String) -> String {
        "\n" + text.split(separator: "\n").map { $0.drop { $0 == " " } + "\n" }.joined()
    }

    @Test func `each file is named in an article`() {
        let text = Self.articles.map { Document(path: $0).text }.joined()
        for name in Self.texts.keys { #expect(text.contains("`\(name)`"), "\(name)") }
    }

    @Test func `rules and dashboard use metrics that the server has`() throws {
        let known = Self.metricNames
        #expect(known.count > 15)
        let expression = /\b(portcullis_[a-z_]+|http_server_[a-z_]+)\b/
        for (name, text) in Self.texts where name.hasPrefix("alerts") || name.hasSuffix(".json") {
            let used = Set(text.matches(of: expression).map { String($0.1) })
            #expect(!used.isEmpty && used.subtracting(known) == [], "\(name)")
        }
    }

    @Test func `the dashboard has a panel for each of its numbers`() throws {
        let text = try #require(Self.texts["dashboard.json"])
        let dashboard = try #require(try JSONValue.parse(Array(text.utf8)).object)
        let panels = try #require(dashboard["panels"]?.array).compactMap(\.object)
        let ids = panels.compactMap { $0["id"]?.number?.integer }
        #expect(ids == Array(1...panels.count))
        for panel in panels {
            #expect(panel["targets"]?.array?.isEmpty == false && panel["title"]?.string != nil)
        }
    }

    /// The names of the samples of each family, by the family's name in the server's sources.
    private static var metricNames: Set<String> {
        var names: Set<String> = ["portcullis_store_up"]
        for path in Tree.paths(below: "Sources/PortcullisServer/Metrics", endingIn: ".swift") {
            let source = Tree.text(of: path) ?? ""
            for match in source.matches(of: /"((?:portcullis|http_server)_[a-z_]+)"/) {
                let name = String(match.1)
                names.formUnion(["", "_total", "_bucket", "_sum", "_count"].map { name + $0 })
            }
        }
        return names
    }

    private static var texts: [String: String] {
        let names = FileManager.default.enumerator(atPath: Tree.root.appending(path: folder).path)
        var texts: [String: String] = [:]
        for case let name as String in names?.allObjects ?? [] {
            texts[name] = Tree.text(of: folder + "/" + name)
        }
        return texts
    }
}
