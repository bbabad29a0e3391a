// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport
internal import Synchronization

/// One of the servers that a proxy passes requests to, with its state.
final class Upstream: Sendable {
    /// How long a server that failed is avoided while another one is there.
    static let avoidance = Duration.seconds(10)

    /// As configured, for the log.
    let url: String
    let origin: Origin
    /// The value of `Host`.
    let authority: String
    /// The path of its URL, without a slash at its end.
    let basePath: [UInt8]
    private let activeCount = Atomic<Int>(0)
    /// Until when it is avoided, in nanoseconds; 0 if it has not failed.
    private let avoidedUntil = Atomic<UInt64>(0)

    /// What a text must be.
    static let form =
        "must be a URL such as \"http://127.0.0.1:3000\" or \"https://app.internal/base\", without user, "
        + "query and fragment, or \"unix:\" and the absolute path of a socket"

    /// Returns `nil` unless the text has the form.
    init?(_ text: String) {
        url = text
        if text.utf8.starts(with: "unix:/".utf8) {
            guard let origin = Origin(unixPath: String(text.dropFirst(5))) else { return nil }
            self.origin = origin
            authority = "localhost"
            basePath = []
            return
        }
        guard let url = try? RequestURL(text), !url.target.utf8.contains(0x3F),
            let path = try? RequestPath(url.target)
        else { return nil }
        origin = url.origin
        authority = url.authority
        var bytes = Array(path.bytes[path.range])
        if bytes.last == 0x2F { bytes.removeLast() }
        basePath = bytes
    }

    var active: Int { activeCount.load(ordering: .relaxed) }

    func begin() { activeCount.add(1, ordering: .relaxed) }

    func end() { activeCount.subtract(1, ordering: .relaxed) }

    func isAvoided(at now: MonotonicInstant) -> Bool {
        avoidedUntil.load(ordering: .relaxed) > now.nanoseconds
    }

    var avoidedUntilNanoseconds: UInt64 { avoidedUntil.load(ordering: .relaxed) }

    /// The server could not be reached, or gave no usable answer.
    func failed(at now: MonotonicInstant) {
        avoidedUntil.store((now + Self.avoidance).nanoseconds, ordering: .relaxed)
    }

    func succeeded() {
        // Most requests succeed on a server that has not failed: they only read.
        if avoidedUntil.load(ordering: .relaxed) != 0 { avoidedUntil.store(0, ordering: .relaxed) }
    }
}

/// The servers of one proxy.
struct UpstreamGroup: Sendable {
    let members: [Upstream]

    /// The server with the fewest requests in flight, among those that have not just failed.
    ///
    /// If all have failed, the one that failed first: one of them must be tried to notice that it works.
    ///
    /// - Parameter tried: The servers that could not be reached for this request.
    func next(_ tried: [Upstream], _ now: MonotonicInstant) -> Upstream? {
        if members.count == 1 { return tried.isEmpty ? members[0] : nil }
        let untried = members.filter { member in !tried.contains { $0 === member } }
        let sound = untried.filter { !$0.isAvoided(at: now) }
        if let least = sound.min(by: { $0.active < $1.active }) { return least }
        return untried.min { $0.avoidedUntilNanoseconds < $1.avoidedUntilNanoseconds }
    }
}
