// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisJOSE

extension Server {
    /// What becomes of a self-check when a server starts.
    ///
    /// `ProtectedResource.checkChain(through:)`
    public enum SelfCheckPolicy: String, Sendable, Hashable, CaseIterable {
        /// There is none.
        case off
        /// What is wrong is logged; the server does not wait for it.
        case warn
        /// The server ends with ``SelfCheckFailure`` before it says that it listens, if some client would be stopped.
        case require
    }

    /// A server that was told to require a whole chain has found it broken.
    public struct SelfCheckFailure: Error, CustomStringConvertible {
        /// The reports with failures; at least one.
        public let reports: [ChainReport]

        /// The failures, one a line.
        public var description: String {
            reports.flatMap(\.failures).map { "self-check: \($0)" }.joined(separator: "\n")
        }
    }

    /// Walks the chain of every resource that is guarded at the moment, several at a time.
    ///
    /// The server has to run, or another has to serve its resources. Waits as long as `ProtectedResource.checkChain(through:)` does.
    public func checkChains() async -> [ChainReport] {
        await Self.checkChains(of: resources, through: selfCheckFetcher)
    }

    static let concurrentCheckCount = 8

    static func checkChains(
        of resources: [ProtectedResource], through fetcher: (any Fetcher)?
    ) async -> [ChainReport] {
        // Resources that share an authorization server ask it once.
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

    /// Does what the policy says, with a server that accepts connections already.
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
            log((finding.fault.isFailure ? "self-check: " : "self-check: warning: ") + finding.description)
        }
        let passed = reports.count { $0.passes }
        log("self-check: \(passed) of \(reports.count) resources can be walked to from their URL alone")
    }
}

extension ChainReport {
    /// The report for machines.
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
