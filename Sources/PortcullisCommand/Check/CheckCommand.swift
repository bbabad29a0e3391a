// SPDX-License-Identifier: MIT

/// `portcullis check`: acts as a client that does not know a resource yet, and reports what is wrong.
package enum CheckCommand: Subcommand {
    package static let name = "check"
    package static let summary = "checks whether clients can discover how a resource is protected"
    package static let usage = """
        usage: portcullis check [OPTION]… URL…
               portcullis check [OPTION]… --file FILE

          URL                 a protected resource, as a client would call it
          --targets FILE      check the URLs of a file too, one a line; # begins a comment. One request at a
                              time to each host, Retry-After is honoured, at most 60 seconds for each URL
          --config FILE       check the resources of a configuration file of example-server too, each at its line
          --resume FILE       keep finished reports in the file, and do not make those again that it has
          --file FILE         lint a metadata document; fetch nothing
          --client PLACE      lint a client ID metadata document, in a file or at a URL
          --mcp               the URLs are servers of the Model Context Protocol: call them by POST
          --token-file FILE   a token that the URL accepts, or PORTCULLIS_TOKEN in the environment; with it,
                              changed tokens are sent too. Tokens go to the one URL only, and to no report
          --foreign-token FILE, --expired-token FILE, --id-token FILE, --narrow-token FILE
                              tokens of the same issuer that must be refused: for another audience, expired,
                              an ID token, without the scope that the URL needs
          --allow-private     connect to private and loopback addresses too; allow http on loopback
          --concurrency N     how many resources are checked at the same time; default 16
          --format FORMAT     text (default), json, sarif, junit, github or html; repeatable
          --output FILE       where the format before it goes; one format may go to standard output
          --json              the same as --format json
          --sarif-anchor FILE[:LINE]
                              the line that names the URLs, at which code hosts show the findings
          --fail-on LEVEL     fail (default) or warn: the lowest level that makes the status 1
          --suppressions FILE accepted findings: a JSON array of objects with code, subject, reason and
                              until, a day such as 2026-12-31; expired ones count no longer
          --watch SECONDS     check again after so many seconds, 10 to 86400, print what has changed (documents,
                              endpoints, keys' location, methods, scopes), and end with 1 after a change
          --webhook URL       with --watch: send each change there as JSON by POST, and go on

        Calls the URL without a token, reads the challenge, the metadata and the authorization servers'
        metadata, and sends the other requests that clients send. Follows no redirects; waits at most
        5 seconds for each response.
        Exit status: 0 pass, 1 fail, 2 could not check.

        """

    /// The maximum length of a document.
    private static let maxByteCount = 1_048_576

    package static func work(for words: [String]) throws(Misuse) -> Work {
        let words = try CommandLineWords(
            words, flags: ["--json", "--allow-private", "--mcp"],
            options: Set([
                "--file", "--concurrency", "--fail-on", "--suppressions", "--sarif-anchor", "--targets",
                "--resume", "--client",
                "--config", "--watch", "--webhook",
            ]).union(CheckTokens.options),
            repeatable: ["--format", "--output"])
        let finish = try CheckConclusion(words)
        if let path = words.value(of: "--file") {
            let others =
                ["--concurrency", "--targets", "--resume", "--client", "--config", "--watch", "--webhook"]
                + CheckTokens.options.sorted()
            guard words.operands.isEmpty, !words.has("--allow-private"), !words.has("--mcp"),
                others.allSatisfy({ words.value(of: $0) == nil })
            else {
                throw Misuse(
                    "--file cannot be combined with URLs, --allow-private, --mcp, "
                        + others.joined(separator: ", "))
            }
            return { console in await lint(path, finish, console) }
        }
        let scan = try ScanPlan(words)
        return { console in await check(scan, finish, console) }
    }

    private static func check(
        _ plan: ScanPlan, _ finish: CheckConclusion, _ console: Console
    ) async -> Outcome {
        do throws(Misuse) {
            let reports = try await plan.reports(console)
            let outcome = finish.write(reports, console)
            guard let watch = plan.watch else { return outcome }
            let quiet = console.quiet
            return await watch.run(after: reports, console) {
                (try? await plan.reports(quiet)) ?? []
            }
        } catch {
            console.writeError("portcullis: \(error.message)\n")
            return .trouble
        }
    }

    private static func lint(_ path: String, _ finish: CheckConclusion, _ console: Console) async -> Outcome {
        var report = CheckReport(subject: path)
        report.anchor = SourceAnchor(file: path, line: 1)
        do throws(InputFile.Unreadable) {
            let bytes = try InputFile.contents(of: path, maxByteCount: maxByteCount)
            let document = DocumentLint.document(bytes, &report)
            report.readiness = Readiness(document: document)
        } catch {
            report.trouble = "The file \(path) \(error.message)."
        }
        return finish.write([report], console)
    }
}
