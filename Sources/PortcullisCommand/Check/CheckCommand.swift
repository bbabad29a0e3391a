// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisTransport

/// `portcullis check`: acts as a client that does not know a resource yet, and reports what is wrong.
package enum CheckCommand: Subcommand {
    package static let name = "check"
    package static let summary = "checks whether clients can discover how a resource is protected"
    package static let usage = """
        usage: portcullis check [--json] [--allow-private] [--concurrency N] URL…
               portcullis check [--json] --file FILE

          URL              a protected resource, as a client would call it
          --file FILE      lint a metadata document; fetch nothing
          --json           print one JSON object
          --allow-private  connect to private and loopback addresses too; allow http on loopback
          --concurrency N  how many resources are checked at the same time; default 16

        Calls the URL without a token, reads the challenge, the metadata and the authorization servers'
        metadata, and sends the other requests that clients send. Follows no redirects; waits at most
        5 seconds for each response.
        Exit status: 0 pass, 1 fail, 2 could not check.

        """

    /// The maximum length of a document.
    private static let maxByteCount = 1_048_576

    package static func work(for words: [String]) throws(Misuse) -> Work {
        let words = try CommandLineWords(
            words, flags: ["--json", "--allow-private"], options: ["--file", "--concurrency"])
        let isJSON = words.has("--json")
        if let path = words.value(of: "--file") {
            guard words.operands.isEmpty, !words.has("--allow-private"),
                words.value(of: "--concurrency") == nil
            else {
                throw Misuse("--file cannot be combined with URLs, --allow-private or --concurrency")
            }
            return { console in lint(path, isJSON: isJSON, console) }
        }
        guard !words.operands.isEmpty else { throw Misuse("check needs a URL or --file") }
        let concurrency = try words.number(of: "--concurrency", in: 1...256) ?? 16
        let allowsPrivate = words.has("--allow-private")
        return { console in
            await check(
                words.operands, concurrency: concurrency, allowsPrivate: allowsPrivate, isJSON: isJSON,
                console)
        }
    }

    private static func check(
        _ urls: [String], concurrency: Int, allowsPrivate: Bool, isJSON: Bool, _ console: Console
    ) async -> Outcome {
        // Waiting for a connection would count against a probe's timeout.
        let configuration = HTTPClient.Configuration(
            maxConnectionCount: concurrency * 16, addresses: allowsPrivate ? .any : .publicOnly)
        // Names whose lookup hangs must not delay the other lookups.
        let resolver = Resolver(runningCount: min(max(Resolver.maximumRunningCount, concurrency), 48))
        let fetcher = HTTPClientFetcher(
            HTTPClient(configuration: configuration, loops: nil, resolver: resolver))
        let check = ResourceCheck(fetcher: fetcher, allowsLoopback: allowsPrivate)
        let scan = CheckScan(concurrency: concurrency, showsProgress: urls.count > 1, console: console) {
            url in
            await check.report(on: url)
        }
        return write(await scan.reports(on: urls), isJSON: isJSON, console)
    }

    private static func lint(_ path: String, isJSON: Bool, _ console: Console) -> Outcome {
        var report = CheckReport(subject: path)
        do throws(InputFile.Unreadable) {
            let bytes = try InputFile.contents(of: path, maxByteCount: maxByteCount)
            let document = DocumentLint.document(bytes, &report)
            report.readiness = Readiness(document: document)
        } catch {
            report.trouble = "The file \(path) \(error.message)."
        }
        return write([report], isJSON: isJSON, console)
    }

    /// Writes the reports, and returns the worst outcome.
    private static func write(_ reports: [CheckReport], isJSON: Bool, _ console: Console) -> Outcome {
        if isJSON {
            console.writeJSON(ReportJSON.text(reports))
        } else {
            let text = ReportText(hasColours: console.hasColours)
            for report in reports { console.writePainted(text.text(report)) }
            if reports.count > 1 { console.write(text.total(reports)) }
        }
        let outcomes = reports.map(\.outcome)
        if outcomes.contains(.failure) { return .failure }
        return outcomes.contains(.trouble) ? .trouble : .success
    }
}
