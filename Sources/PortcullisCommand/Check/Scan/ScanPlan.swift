// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisTransport

/// The URLs of a check, and how they are checked.
struct ScanPlan: Sendable {
    private let operands: [String]
    private let targetsPath: String?
    private let configurationPath: String?
    private let resumePath: String?
    private let concurrency: Int
    private let allowsPrivate: Bool
    private let isMCP: Bool
    private let clientPlace: String?
    private let tokens: CheckTokens?
    /// What follows the first round, or `nil`.
    let watch: CheckWatch?

    /// Reads the options that concern the URLs.
    init(_ words: CommandLineWords) throws(Misuse) {
        operands = words.operands
        targetsPath = words.value(of: "--targets")
        configurationPath = words.value(of: "--config")
        resumePath = words.value(of: "--resume")
        concurrency = try words.number(of: "--concurrency", in: 1...256) ?? 16
        allowsPrivate = words.has("--allow-private")
        isMCP = words.has("--mcp")
        clientPlace = words.value(of: "--client")
        let isForClientOnly = operands.isEmpty && targetsPath == nil && configurationPath == nil
        guard !isForClientOnly || clientPlace != nil else {
            throw Misuse("check needs a URL, --targets, --config, --client or --file")
        }
        let needsTokens = CheckTokens.options.contains { words.value(of: $0) != nil }
        tokens =
            needsTokens || !isForClientOnly && CheckTokens.areGiven(in: words) ? try CheckTokens(words) : nil
        guard tokens == nil || operands.count <= 1 && !isForClientOnly else { throw Self.tokenMisuse }
        guard targetsPath == nil && configurationPath == nil || words.value(of: "--sarif-anchor") == nil
        else {
            throw Misuse(
                "--sarif-anchor cannot be combined with --targets and --config, whose lines are the anchors")
        }
        watch = try Self.watch(words, allowsPrivate: allowsPrivate)
        guard watch == nil || tokens == nil && resumePath == nil else {
            throw Misuse("--watch cannot be combined with tokens and --resume")
        }
    }

    private static func watch(
        _ words: CommandLineWords, allowsPrivate: Bool
    ) throws(Misuse) -> CheckWatch? {
        let webhook = words.value(of: "--webhook")
        guard let seconds = try words.number(of: "--watch", in: CheckWatch.interval) else {
            guard webhook == nil else { throw Misuse("--webhook needs --watch") }
            return nil
        }
        if let webhook, !IssuerURL.isFetchable(webhook, allowingInsecureLoopback: allowsPrivate) {
            throw Misuse("--webhook needs an https URL, or http on loopback with --allow-private")
        }
        // The user names this URL, so that its address may be private.
        return CheckWatch(every: seconds, webhook: webhook, fetcher: HTTPClientFetcher())
    }

    private static let tokenMisuse = Misuse(
        "tokens, and \(CheckTokens.variable) in the environment, need exactly one URL")

    /// Checks the URLs.
    ///
    /// - Throws: ``Misuse`` for files that cannot be read.
    func reports(_ console: Console) async throws(Misuse) -> [CheckReport] {
        let content = try content()
        let targets = content.targets
        guard tokens == nil || targets.count == 1 else { throw Self.tokenMisuse }
        let journal = try resumePath.map { (path) throws(Misuse) in try ScanJournal(path: path) }
        let isPolite = targetsPath != nil
        let certificates = SeenCertificates()
        let fetcher = fetcher(isPolite: isPolite, certificates)
        let checks = [isMCP, true].map { isMCP in
            ResourceCheck(
                fetcher: fetcher, allowsLoopback: allowsPrivate, isMCP: isMCP, tokens: tokens,
                certificates: certificates)
        }
        let gateway = GatewayProbe(fetcher: fetcher, token: tokens?.token)
        let scan = CheckScan(
            concurrency: concurrency, showsProgress: targets.count > 1, isPolite: isPolite,
            targetTimeout: isPolite ? CheckScan.targetTimeout : nil, journal: journal, console: console
        ) { url in
            var report = await checks[content.mcp.contains(url) ? 1 : 0].report(on: url)
            if report.trouble == nil, let routes = content.gateways[url] {
                report.findings += await gateway.findings(on: routes)
            }
            return report
        }
        var reports = await scan.reports(on: targets)
        if let clientPlace {
            let check = ClientDocumentCheck(fetcher: fetcher, allowsLoopback: allowsPrivate)
            reports.append(await check.report(on: clientPlace))
        }
        return reports
    }

    /// What is to be checked, in the order of the options.
    private func content() throws(Misuse) -> ConfigurationTargets.Content {
        var content =
            try configurationPath.map { (path) throws(Misuse) in
                try ConfigurationTargets.read(path)
            } ?? ConfigurationTargets.Content()
        content.targets = operands.map { CheckTarget($0) } + content.targets
        if let targetsPath { content.targets += try Self.list(in: targetsPath) }
        return content
    }

    private static func list(in path: String) throws(Misuse) -> [CheckTarget] {
        let bytes: [UInt8]
        do throws(InputFile.Unreadable) {
            bytes = try InputFile.contents(of: path, maxByteCount: CheckTarget.maximumFileByteCount)
        } catch {
            throw Misuse("the file \(path) \(error.message)")
        }
        return try CheckTarget.list(bytes, in: path)
    }

    private func fetcher(isPolite: Bool, _ certificates: SeenCertificates) -> any Fetcher {
        // Waiting for a connection would count against a probe's timeout.
        var configuration = HTTPClient.Configuration(
            maxConnectionCount: isPolite ? 1 : concurrency * 16,
            idleTimeout: .seconds(isPolite ? 2 : 30), addresses: allowsPrivate ? .any : .publicOnly)
        configuration.whenSecured = { host, peer in certificates.insert(peer, of: host) }
        // Names whose lookup hangs must not delay the other lookups.
        let resolver = Resolver(runningCount: min(max(Resolver.maximumRunningCount, concurrency), 48))
        let fetcher = HTTPClientFetcher(
            HTTPClient(configuration: configuration, loops: nil, resolver: resolver))
        return isPolite ? PoliteFetcher(fetcher) : fetcher
    }
}
