// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisTransport

/// The URLs of a check, and how they are checked.
struct ScanPlan: Sendable {
    private let operands: [String]
    private let targetsPath: String?
    private let resumePath: String?
    private let concurrency: Int
    private let allowsPrivate: Bool

    /// Reads the options that concern the URLs.
    init(_ words: CommandLineWords) throws(Misuse) {
        operands = words.operands
        targetsPath = words.value(of: "--targets")
        resumePath = words.value(of: "--resume")
        concurrency = try words.number(of: "--concurrency", in: 1...256) ?? 16
        allowsPrivate = words.has("--allow-private")
        guard !operands.isEmpty || targetsPath != nil else {
            throw Misuse("check needs a URL, --targets or --file")
        }
        guard targetsPath == nil || words.value(of: "--sarif-anchor") == nil else {
            throw Misuse("--sarif-anchor cannot be combined with --targets, whose lines are the anchors")
        }
    }

    /// Checks the URLs.
    ///
    /// - Throws: ``Misuse`` for files that cannot be read.
    func reports(_ console: Console) async throws(Misuse) -> [CheckReport] {
        let targets = try targets()
        let journal = try resumePath.map { (path) throws(Misuse) in try ScanJournal(path: path) }
        let isPolite = targetsPath != nil
        let check = ResourceCheck(fetcher: fetcher(isPolite: isPolite), allowsLoopback: allowsPrivate)
        let scan = CheckScan(
            concurrency: concurrency, showsProgress: targets.count > 1, isPolite: isPolite,
            targetTimeout: isPolite ? CheckScan.targetTimeout : nil, journal: journal, console: console
        ) { url in
            await check.report(on: url)
        }
        return await scan.reports(on: targets)
    }

    private func targets() throws(Misuse) -> [CheckTarget] {
        let given = operands.map { CheckTarget($0) }
        guard let path = targetsPath else { return given }
        let bytes: [UInt8]
        do throws(InputFile.Unreadable) {
            bytes = try InputFile.contents(of: path, maxByteCount: CheckTarget.maximumFileByteCount)
        } catch {
            throw Misuse("the file \(path) \(error.message)")
        }
        return given + (try CheckTarget.list(bytes, in: path))
    }

    private func fetcher(isPolite: Bool) -> any Fetcher {
        // Waiting for a connection would count against a probe's timeout.
        let configuration = HTTPClient.Configuration(
            maxConnectionCount: isPolite ? 1 : concurrency * 16,
            idleTimeout: .seconds(isPolite ? 2 : 30), addresses: allowsPrivate ? .any : .publicOnly)
        // Names whose lookup hangs must not delay the other lookups.
        let resolver = Resolver(runningCount: min(max(Resolver.maximumRunningCount, concurrency), 48))
        let fetcher = HTTPClientFetcher(
            HTTPClient(configuration: configuration, loops: nil, resolver: resolver))
        return isPolite ? PoliteFetcher(fetcher) : fetcher
    }
}
