// SPDX-License-Identifier: MIT

import Foundation
import PortcullisCommand
import PortcullisJOSE
import Testing

@Suite("Formats and outputs of a check")
struct OutputPlanTests {
    let transcript = Transcript()

    private func run(_ words: [String]) async -> Outcome {
        await CommandLineTool.run(["check"] + words, console: transcript.console())
    }

    @Test func `CHK-11: several formats go to their files and one to standard output`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { folder.appending(path: name).path }
        let outcome = await run([
            "--format", "sarif", "--output", path("a.sarif"), "--format", "junit", "--output", path("a.xml"),
            "--format=html", "--output=\(path("a.html"))", "--format", "json", "--file",
            Fixture.path("metadata/warn-no-authz.json"),
        ])
        #expect(outcome == .success)
        #expect(try JSONValue.parse(Array(transcript.output.utf8)).object?["reports"]?.array?.count == 1)
        for (name, start) in [("a.sarif", "{\"version\""), ("a.xml", "<?xml"), ("a.html", "<!doctype html>")]
        {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            #expect(text.hasPrefix(start))
        }
        // A shorter report replaces a longer one.
        #expect(
            await run([
                "--format", "github", "--output", path("a.html"), "--file",
                Fixture.path("metadata/warn-no-authz.json"),
            ]) == .success)
        #expect(try String(contentsOf: folder.appending(path: "a.html"), encoding: .utf8).hasPrefix("::"))
    }

    @Test func `a file that cannot be written is trouble`() async {
        let words = ["--format", "html", "--output", "/nowhere/at/all.html", "--file"]
        #expect(await run(words + [Fixture.path("metadata/warn-no-authz.json")]) == .trouble)
        #expect(transcript.errors.contains("the file /nowhere/at/all.html cannot be opened: "))
        #expect(transcript.output == "")
    }

    @Test(arguments: [
        ["--format", "xml", "https://h"], ["--output", "a", "https://h"],
        ["--json", "--output", "a", "https://h"],
        ["--format", "html", "--output", "a", "--output", "b", "https://h"],
        ["--format", "html", "--format", "json", "https://h"], ["--json", "--format", "html", "https://h"],
        ["--fail-on", "note", "https://h"], ["--sarif-anchor", ":1", "https://h"],
    ])
    func `CHK-11: a wrong combination is explained`(words: [String]) async {
        #expect(await run(words) == .trouble)
        #expect(transcript.output == "" && transcript.errors.contains("usage: portcullis check"))
    }

    @Test func `CHK-10: --fail-on warn makes a warning fail`() async {
        let path = Fixture.path("metadata/warn-no-authz.json")
        #expect(await run(["--file", path]) == .success)
        #expect(await run(["--fail-on", "fail", "--file", path]) == .success)
        #expect(await run(["--fail-on", "warn", "--file", path]) == .failure)
    }

    @Test func `suppressions that cannot be read are trouble`() async {
        let path = Fixture.path("metadata/warn-no-authz.json")
        #expect(await run(["--suppressions", "/nowhere.json", "--file", path]) == .trouble)
        #expect(transcript.errors.contains("the file /nowhere.json cannot be opened"))
        #expect(await run(["--suppressions", path, "--file", path]) == .trouble)
        #expect(transcript.errors.contains("not a JSON array"))
    }
}
