// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

extension ProtectedResource {
    /// Removes one token from the caches, so that its next use is checked again.
    ///
    /// The result of an introspection in flight is not cached either. A JWT verified with its issuer's keys
    /// stays valid until its `exp`: only introspection reports its revocation. Takes effect at once in this
    /// process; processes that share a cache are notified in the background. To learn whether that succeeded,
    /// call ``IntrospectionCache/invalidate(_:)``.
    ///
    /// RFC 7662 §4.
    public func invalidate(_ token: String) {
        let digest = Digest.sha256(Array(token.utf8))
        gate.forget(digest)
        gate.share { .token(digest.bytes, issuer: $0) }
    }

    /// Removes every token of a subject from the caches.
    ///
    /// Scans the whole cache: a millisecond for ten thousand tokens. Takes effect at once in this process,
    /// and in others as with ``invalidate(_:)``.
    ///
    /// - Parameters:
    ///   - subject: The `sub` of the tokens, compared code point by code point.
    ///   - issuer: The issuer within which the subject is unique, or `nil` for all trusted issuers.
    ///
    /// RFC 7662 §4.
    public func invalidate(subject: String, of issuer: String? = nil) {
        gate.forget(subject: subject, of: issuer)
        gate.share { name in
            issuer.map { $0.utf8.elementsEqual(name.utf8) } ?? true ? .subject(subject, issuer: name) : nil
        }
    }

    /// Fetches the status lists that are due, as a timer does.
    ///
    /// For tests, whose clock does not advance by itself.
    package func refreshDueStatusLists() async {
        for connection in gate.validator.connections { await connection.statusLists?.refreshDueLists() }
    }

    /// Removes all tokens from the caches of this process only.
    public func invalidateAllTokens() {
        gate.forgetAll()
    }
}

extension Gate {
    fileprivate func forget(_ digest: SHA256Digest) {
        forget { gate in
            gate.verified.remove(digest)
            gate.rejected.remove(digest)
        }
    }

    fileprivate func forget(subject: String, of issuer: String?) {
        forget { gate in
            gate.verified.removeAll { known in
                known.token.subject?.utf8.elementsEqual(subject.utf8) == true
                    && issuer.map { known.token.issuer.utf8.elementsEqual($0.utf8) } ?? true
            }
            // The subject of a rejected token is unknown.
            gate.rejected.removeAll()
        }
    }

    fileprivate func forgetAll() {
        forget { gate in
            gate.verified.removeAll()
            gate.rejected.removeAll()
        }
    }

    /// Ends the epoch before removing anything: an entry inserted later belongs to a later question.
    private func forget(_ remove: (Gate) -> Void) {
        beginEpoch()
        remove(self)
    }

    /// Inserts a result that was obtained in the given epoch, unless the epoch has ended.
    func remember(since start: UInt64, _ insert: (Gate) -> Void, else remove: (Gate) -> Void) {
        guard epoch.load(ordering: .sequentiallyConsistent) == start else { return }
        insert(self)
        // An invalidation may have happened between the check and the insertion.
        if epoch.load(ordering: .sequentiallyConsistent) != start { remove(self) }
    }

    /// Publishes an invalidation through the shared caches, in the background.
    fileprivate func share(_ invalidation: (_ issuer: String) -> TokenInvalidation?) {
        for connection in validator.connections {
            guard let cache = connection.sharedCache, let invalidation = invalidation(connection.issuer)
            else { continue }
            Task {
                do throws(IntrospectionCacheUnavailable) {
                    try await cache.invalidate(invalidation)
                } catch {
                    connection.onEvent(.invalidationNotShared(issuer: connection.issuer))
                }
            }
        }
    }

    /// Applies invalidations by other processes, for as long as this resource is in use.
    func observeSharedCaches() {
        for cache in validator.connections.compactMap(\.sharedCache) {
            cache.observe { [weak self] invalidation in
                guard let self else { return false }
                switch invalidation {
                case .token(let hash, _):
                    if let digest = SHA256Digest(hash) { forget(digest) }
                case .subject(let subject, let issuer): forget(subject: subject, of: issuer)
                case .all: forgetAll()
                }
                return true
            }
        }
    }
}
