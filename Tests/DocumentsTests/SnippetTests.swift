// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisConfiguration
import PortcullisHTTP
import PortcullisJOSE
import Testing

/// Compiles the code in documents, and decodes the configuration in them.
@Suite("Documents: code and configuration")
struct SnippetTests {
    @Test func `every Swift block is a compiled snippet`() {
        let compiled = Set(snippets().values)
        for document in Document.all {
            for block in document.blocks where block.language == "swift" {
                #expect(compiled.contains(block.text), "\(document.path):\(block.line)")
            }
        }
    }

    @Test func `every snippet is in a document`() {
        let quoted = Set(Document.all.flatMap(\.blocks).map(\.text))
        let unused = snippets().filter { !quoted.contains($0.value) }.map(\.key).sorted()
        #expect(unused == [])
    }

    /// Completes a part of a file with the rest of a valid file.
    @Test func `every JSON block is a configuration file, a part of one, or metadata`() throws {
        for document in Document.all {
            for block in document.blocks where block.language == "json" {
                let place = "\(document.path):\(block.line)"
                let json = try JSONValue.parse(Array(block.text.utf8))
                guard case .object(var object) = json else {
                    Issue.record("no object", sourceLocation: #_sourceLocation)
                    continue
                }
                if object["resource"] != nil {
                    #expect(throws: Never.self, "\(place)") { try ProtectedResourceMetadata(json: json) }
                    continue
                }
                if object["resources"] == nil {
                    object["resources"] = try JSONValue.parse(Array(Self.resources.utf8))
                }
                #expect(throws: Never.self, "\(place)") {
                    let file = try ConfigurationFile(parsing: object.serialized())
                    // A test of the guides demands a reason for each of their relaxations.
                    if !document.path.contains(".docc/Issuers/") { #expect(file.warnings == [], "\(place)") }
                }
            }
        }
    }

    private static let resources = """
        [{"metadata": {"resource": "https://api.example.com/photos",
                       "authorization_servers": ["https://login.example.com"],
                       "scopes_supported": ["photos.read"]},
          "routes": [{"path": "/photos/{id}", "scopes": ["photos.read"], "respond": "principal"}]}]
        """

    @Test func `every file that a document names by its path exists`() {
        for document in Document.all {
            for word in document.text.split(separator: "`").map(String.init) where Self.isPath(word) {
                let isThere = ["", "Sources/"].contains { folder in
                    FileManager.default.fileExists(
                        atPath: Tree.root.appendingPathComponent(folder + word).path)
                }
                #expect(isThere, "\(document.path): \(word)")
            }
        }
    }

    private static func isPath(_ word: String) -> Bool {
        word.hasSuffix(".swift") && word.contains("/") && !word.contains { " *\n".contains($0) }
    }

    @Test func `every link to a file leads to a file`() {
        for document in Document.all where !document.path.contains(".docc/") {
            let folder = document.path.split(separator: "/").dropLast().map { $0 + "/" }.joined()
            for match in document.text.matches(of: /\]\(([^)#]+)\)/) where !match.1.contains("://") {
                #expect(Tree.text(of: folder + match.1) != nil, "\(document.path): \(match.1)")
            }
        }
    }

    @Test func `the README has at most 8192 bytes and ends with the licence`() {
        let text = Document(path: "README.md").text
        #expect(text.utf8.count <= 8_192)
        let last = text.components(separatedBy: "\n## ").last ?? ""
        #expect(last.hasPrefix("Licence\n\nMIT License\n"))
        #expect(last.hasSuffix("OR OTHER DEALINGS IN THE SOFTWARE.\n"))
    }

    /// RFC 9728 §5.1: the README's answer is the answer of the resource that the README declares.
    @Test func `the README's answer without a token is its example's answer`() async throws {
        let blocks = Document(path: "README.md").blocks
        let shown = try #require(blocks.first { $0.language == "http" }).text.components(separatedBy: "\n")
        let head = try RequestHead(method: .get, target: "/notes", fields: [])
        let refusal = await #expect(throws: Refusal.self) {
            try await notes.authorize(head, requiring: "notes:read")
        }
        let fields = try #require(refusal).head.fields
        #expect(shown.first == "HTTP/1.1 401 Unauthorized")
        #expect(refusal?.status == .unauthorized)
        for line in shown.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            let name = try #require(FieldName(String(parts[0])))
            #expect(fields[name] == String(parts[1].dropFirst()))
        }
    }

    @Test func `the README's metadata is its example's document`() throws {
        let blocks = Document(path: "README.md").blocks
        let shown = try #require(blocks.first { $0.language == "json" }).text
        let path = "/.well-known/oauth-protected-resource/notes"
        let answer = notes.metadataResponse(to: try RequestHead(method: .get, target: path, fields: []))
        #expect(String(decoding: try #require(answer).body, as: UTF8.self) == shown)
    }
}
