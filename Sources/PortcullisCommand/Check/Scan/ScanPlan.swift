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
    private let isMCP: Bool
    private let clientPlace: String?
    private let tokens: CheckTokens?

    /// Reads the options that concern the URLs.
    init(_ words: CommandLineWords) throws(Misuse) {
        operands = words.operands
        targetsPath = words.value(of: "--targets")
        resumePath = words.value(of: "--resume")
        concurrency = try words.number(of: "--concurrency", in: 1...256) ?? 16
        allowsPrivate = words.has("--allow-private")
        isMCP = words.has("--mcp")
        clientPlace = words.value(of: "--client")
        guard !operands.isEmpty || targetsPath != nil || clientPlace != nil else {
            throw Misuse("check needs a URL, --targets, --client or --file")
        }
        let isForClientOnly = operands.isEmpty && targetsPath == nil
        let needsTokens = CheckTokens.options.contains { words.value(of: $0) != nil }
        tokens =
            needsTokens || !isForClientOnly && CheckTokens.areGiven(in: words) ? try CheckTokens(words) : nil
        guard tokens == nil || operands.count <= 1 && !isForClientOnly else { throw Self.tokenMisuse }
        guard targetsPath == nil || words.value(of: "--sarif-anchor") == nil else {
            throw Misuse("--sarif-anchor cannot be combined with --targets, whose lines are the anchors")
        }
    }

    private static let tokenMisuse = Misuse(
        "tokens, and \(CheckTokens.variable) in the environment, need exactly one URL")

    /// Checks the URLs.
    ///
    /// - Throws: ``Misuse`` for files that cannot be read.
    func reports(_ console: Console) async throws(Misuse) -> [CheckReport] {
        let targets = try targets()
        guard tokens == nil || targets.count == 1 else { throw Self.tokenMisuse }
        let journal = try resumePath.map { (path) throws(Misuse) in try ScanJournal(path: path) }
        let isPolite = targetsPath != nil
        let fetcher = fetcher(isPolite: isPolite)
        let check = ResourceCheck(
            fetcher: fetcher, allowsLoopback: allowsPrivate, isMCP: isMCP, tokens: tokens)
        let scan = CheckScan(
            concurrency: concurrency, showsProgress: targets.count > 1, isPolite: isPolite,
            targetTimeout: isPolite ? CheckScan.targetTimeout : nil, journal: journal, console: console
        ) { url in
            await check.report(on: url)
        }
        var reports = await scan.reports(on: targets)
        if let clientPlace {
            let check = ClientDocumentCheck(fetcher: fetcher, allowsLoopback: allowsPrivate)
            reports.append(await check.report(on: clientPlace))
        }
        return reports
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
