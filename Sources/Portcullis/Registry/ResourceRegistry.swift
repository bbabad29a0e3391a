// SPDX-License-Identifier: MIT

import Synchronization

/// The resources of a program, which can be replaced together while requests are served.
///
/// For programs that call ``ProtectedResource/authorize(_:requiring:in:)`` themselves, within any server:
/// read ``current`` once per request, and the whole answer comes from one snapshot. If the package's own
/// server has the routes, use `Server.replace` instead.
///
///     let resources = try ResourceRegistry([notes, photos]) { logger.notice("\($0)") }
///     let snapshot = resources.current  // once for each request
///     if let answer = snapshot.metadataResponse(to: head) { … }
///     let token = try await snapshot.resource(for: head)?.authorize(head)
///     try resources.replace([newNotes, photos])
///
/// RFC 9728 §5.2.
public final class ResourceRegistry: Sendable {
    private let state: Mutex<Snapshot>
    /// Serializes replacements; requests do not wait for it.
    private let turn = Mutex<Void>(())
    private let log: @Sendable (String) -> Void

    /// Declares the first resources, and starts loading the keys of their issuers.
    ///
    /// - Parameters:
    ///   - resources: The resources.
    ///   - log: Called with a sentence for each document that a replacement changes, with the SHA-256 of the
    ///     old and the new one, without secrets. Must not block.
    /// - Throws: ``ConfigurationError`` for every two resources that can't be distinguished.
    ///
    /// RFC 9728 §3.1.
    public init(
        _ resources: [ProtectedResource], log: @escaping @Sendable (_ sentence: String) -> Void = { _ in }
    ) throws(ConfigurationError) {
        state = Mutex(try Snapshot(resources))
        self.log = log
        for resource in resources { resource.warmUp() }
    }

    /// The current snapshot.
    ///
    /// Does not wait.
    public var current: Snapshot { state.withLock { $0 } }

    /// Replaces all resources atomically.
    ///
    /// Requests that read ``current`` from now on see only the new resources; those in flight finish with the
    /// snapshot they have. Documents, entity tags and challenges are the new ones, the token caches are
    /// empty, and a token of an issuer that is no longer trusted is refused with a challenge that names the
    /// new document. A resource with the same identifier keeps the used proofs, the nonce keys, the keys of
    /// an issuer whose key location is unchanged, and the published keys of signatures that are still valid.
    /// Reports changed documents to the log and to each resource's `onEvent`. Does not wait, but takes time
    /// in proportion to the number of resources: call it outside event loops.
    ///
    /// - Throws: ``ConfigurationError`` for every two resources that can't be distinguished; then nothing
    ///   changes.
    ///
    /// RFC 9728 §5.2.
    public func replace(_ resources: [ProtectedResource]) throws(ConfigurationError) {
        let next = try Snapshot(resources)
        let (change, last) = turn.withLock { _ in
            let last = current
            let change = ResourceReplacement(of: last.resources, by: resources)
            change.handOver()
            state.withLock { $0 = next }
            return (change, last)
        }
        // Freed here, not under the lock and not by a request.
        defer { withExtendedLifetime(last) {} }
        change.retireOld()
        for resource in resources { resource.warmUp() }
        change.announce(log)
    }
}
