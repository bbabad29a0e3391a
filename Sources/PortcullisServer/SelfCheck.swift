// SPDX-License-Identifier: MIT

internal import Portcullis
public import PortcullisDiscovery
public import PortcullisJOSE

extension Server {
    /// Whether a server checks its own resources at start, and what a failure causes.
    ///
    /// See `ProtectedResource.checkChain(through:)`.
    public enum SelfCheckPolicy: String, Sendable, Hashable, CaseIterable {
        /// No check.
        case off
        /// Logs the problems; the server does not wait for the check.
        case warn
        /// The server ends with ``SelfCheckFailure`` before it reports that it listens, if discovery fails
        /// for some client.
        case require
    }

    /// A required self-check has failed.
    public struct SelfCheckFailure: Error, CustomStringConvertible {
        /// The reports with failures; at least one.
        public let reports: [ChainReport]

        /// The failures, one per line.
        public var description: String {
            reports.flatMap(\.failures).map { "self-check: \($0)" }.joined(separator: "\n")
        }
    }

    /// Checks the discovery chain of every guarded resource, several at a time.
    ///
    /// This server or another must serve the resources. Waits as long as
    /// `ProtectedResource.checkChain(through:)`.
    public func checkChains() async -> [ChainReport] {
        await Self.checkChains(of: resources, through: selfCheckFetcher)
    }

    static let concurrentCheckCount = 8

    static func checkChains(
        of resources: [ProtectedResource], through fetcher: (any Fetcher)?
    ) async -> [ChainReport] {
        // Resources that share an authorization server query it once.
        let survey = ServerSurvey()
        return await withTaskGroup(of: (Int, ChainReport).self) { group in
            var reports: [(Int, ChainReport)] = []
            for (index, resource) in resources.enumerated() {
                if index >= concurrentCheckCount, let report = await group.next() { reports.append(report) }
                group.addTask { (index, await resource.checkChain(through: fetcher, sharing: survey)) }
            }
            for await report in group { reports.append(report) }
            return reports.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Runs the self-check by the policy, after the server has begun to accept connections.
    func checkSelf(_ policy: SelfCheckPolicy) async throws(SelfCheckFailure) {
        guard policy == .require else {
            if policy == .warn { Task { report(await checkChains()) } }
            return
        }
        let reports = await checkChains()
        report(reports)
        let failed = reports.filter { !$0.passes }
        if !failed.isEmpty { throw SelfCheckFailure(reports: failed) }
    }

    private func report(_ reports: [ChainReport]) {
        for finding in reports.flatMap(\.findings) {
            let isFailure = finding.fault.isFailure
            log(LogEntry(isFailure ? .error : .warning, "self-check: " + finding.description))
        }
        let passed = reports.count { $0.passes }
        log(
            .info(
                "self-check: \(passed) of \(reports.count) resources can be discovered from their URL alone"))
    }
}

extension ChainReport {
    /// The report as JSON.
    public var json: JSONObject {
        [
            "resource": .string(resource.text), "passes": .bool(passes),
            "findings": .array(
                findings.map {
                    .object([
                        "severity": $0.fault.isFailure ? "failure" : "warning",
                        "fault": .string($0.fault.rawValue), "subject": .string($0.subject),
                        "description": .string($0.fault.sentence),
                    ])
                }),
        ]
    }
}
