// SPDX-License-Identifier: MIT

import Synchronization

/// The resources of a program, which may be replaced all at once while they are served.
///
/// For programs that ask the gate themselves, within whatever server: take ``current`` once for a request, and everything that the
/// request is told comes from one snapshot. Where the package's own server has the routes, `Server.replace` does the same for these.
///
///     let resources = try ResourceRegistry([notes, photos]) { logger.notice("\($0)") }
///     let snapshot = resources.current                         // once for each request
///     if let answer = snapshot.metadataResponse(to: head) { … }
///     let token = try await snapshot.resource(for: head)?.authorize(head)
///     try resources.replace([newNotes, photos])
///
/// RFC 9728 §5.2.
public final class ResourceRegistry: Sendable {
    private let state: Mutex<Snapshot>
    /// One replacement at a time; requests do not wait for it.
    private let turn = Mutex<Void>(())
    private let log: @Sendable (String) -> Void

    /// Declares the first resources, and starts loading the keys of its issuers.
    ///
    /// - Parameters:
    ///   - resources: The resources.
    ///   - log: Called with a sentence for each document that a replacement changes, with the SHA-256 of the old and the new
    ///     one, without secrets. Must not wait.
    /// - Throws: ``ConfigurationError`` with every two resources that could not be told apart.
    ///
    /// RFC 9728 §3.1.
    public init(
        _ resources: [ProtectedResource], log: @escaping @Sendable (_ sentence: String) -> Void = { _ in }
    ) throws(ConfigurationError) {
        state = Mutex(try Snapshot(resources))
        self.log = log
        for resource in resources { resource.warmUp() }
    }

    /// The snapshot of now.
    ///
    /// Does not wait.
    public var current: Snapshot { state.withLock { $0 } }

    /// Puts other resources in the place of all that were there, at once.
    ///
    /// Requests that ask for ``current`` from now on see the new resources alone; those in flight end under the one that they have. Documents,
    /// entity tags and challenges are the new ones, no token is remembered, and one of an issuer that is trusted no more is refused with a
    /// challenge that leads to the new document. A resource that stays goes on with what keeps clients safe and served: the proofs that
    /// were used, the keys of nonces, the keys of an issuer that still has them at the same place, and the published keys of signatures
    /// that are still good. Tells the log, and each resource's own listener, which documents have changed. Does not wait.
    ///
    /// - Throws: ``ConfigurationError`` with every two resources that could not be told apart; then everything stays as it was.
    ///
    /// RFC 9728 §5.2.
    public func replace(_ resources: [ProtectedResource]) throws(ConfigurationError) {
        let next = try Snapshot(resources)
        let change = turn.withLock { _ in
            let change = ResourceReplacement(of: current.resources, by: resources)
            change.handOver()
            state.withLock { $0 = next }
            return change
        }
        for resource in resources { resource.warmUp() }
        change.announce(log)
    }
}
