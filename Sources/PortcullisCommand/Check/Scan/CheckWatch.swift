// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisHTTP
import PortcullisJOSE

/// Checks again and again, and reports what has changed.
///
/// RFC 9728 §5.2.
package struct CheckWatch: Sendable {
    /// The shortest and the longest time between two rounds, in seconds.
    package static let interval = 10...86_400

    private let seconds: Int
    private let webhook: String?
    private let fetcher: any Fetcher
    private let time: TimeSource
    private let pause: @Sendable (Duration) async -> Bool

    /// Creates a watch.
    ///
    /// - Parameters:
    ///   - seconds: The time between two rounds.
    ///   - webhook: The URL that gets a POST for each change; `nil`: the watch ends with the first change.
    ///   - fetcher: Calls the webhook.
    ///   - time: The clock of the reports.
    ///   - pause: Waits, and returns whether to go on.
    package init(
        every seconds: Int, webhook: String?, fetcher: any Fetcher, time: TimeSource = .system,
        pause: @escaping @Sendable (Duration) async -> Bool = { duration in
            do {
                try await Task.sleep(for: duration)
                return true
            } catch {
                return false
            }
        }
    ) {
        self.seconds = seconds
        self.webhook = webhook
        self.fetcher = fetcher
        self.time = time
        self.pause = pause
    }

    /// Watches after a first round.
    ///
    /// A round that could not check a resource is written to standard error, and changes nothing.
    ///
    /// - Returns: Failure after a change, if there is no webhook; success if the watch was ended.
    package func run(
        after first: [CheckReport], _ console: Console, check: () async -> [CheckReport]
    ) async -> Outcome {
        var facts = Dictionary(first.map { ($0.subject, $0.facts) }, uniquingKeysWith: { first, _ in first })
        while await pause(.seconds(seconds)) {
            var hasChanged = false
            for report in await check() {
                if let trouble = report.trouble {
                    console.writeError("\(now) \(report.subject): could not check: \(trouble)\n")
                    continue
                }
                let old = facts[report.subject] ?? []
                let changes = WatchedChange.list(from: old, to: report.facts)
                // What was not learned this time is still known.
                let names = Set(report.facts.map(\.name))
                facts[report.subject] = report.facts + old.filter { !names.contains($0.name) }
                guard !changes.isEmpty else { continue }
                hasChanged = true
                for change in changes {
                    console.write("\(now) \(report.subject): \(Self.sentence(change))\n")
                }
                await call(report.subject, changes, console)
            }
            if hasChanged, webhook == nil { return .failure }
        }
        return .success
    }

    private var now: String { ReportTime(secondsSince1970: time.now().wholeSeconds ?? 0).text + "Z" }

    private static func sentence(_ change: WatchedChange) -> String {
        let (before, after) = (change.before, change.after)
        return "\(change.name) changed from \(before.isEmpty ? "nothing" : before) "
            + "to \(after.isEmpty ? "nothing" : after)"
    }

    /// Sends the changes; a call that fails is written to standard error and not repeated.
    private func call(_ subject: String, _ changes: [WatchedChange], _ console: Console) async {
        guard let webhook else { return }
        let message: JSONObject = [
            "time": .string(now), "subject": .string(subject),
            "changes": .array(
                changes.map { change in
                    [
                        "name": .string(change.name), "before": .string(change.before),
                        "after": .string(change.after),
                    ]
                }),
        ]
        do throws(FetchError) {
            let response = try await fetcher.fetch(
                FetchRequest(
                    url: webhook, method: .post, fields: [.contentType: "application/json"],
                    body: message.serialized(), maxResponseByteCount: 65_536))
            guard !(200..<300).contains(response.status.code) else { return }
            console.writeError("\(now) the webhook answered \(response.status.code)\n")
        } catch {
            console.writeError("\(now) the webhook did not answer: \(error)\n")
        }
    }
}
