// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

extension ProtectedResource {
    /// Forgets what is remembered of one token, so that its next use is checked anew.
    ///
    /// An introspection that is under way is not remembered either. A JWT that is verified with its issuer's keys stays good until
    /// its `exp`: nothing but introspection tells of its revocation. Holds here at once; where a cache is shared, the others are
    /// told in the background, and ``IntrospectionCache/invalidate(_:)`` says whether that has succeeded.
    ///
    /// RFC 7662 §4.
    public func invalidate(_ token: String) {
        let digest = Digest.sha256(Array(token.utf8))
        gate.forget(digest)
        gate.share { .token(digest.bytes, issuer: $0) }
    }

    /// Forgets what is remembered of every token that speaks for a subject.
    ///
    /// Walks over all that is remembered: a millisecond for ten thousand tokens. Holds here at once, and elsewhere as with
    /// ``invalidate(_:)``.
    ///
    /// - Parameters:
    ///   - subject: The `sub` of the tokens, compared code point by code point.
    ///   - issuer: The issuer within which the subject is unique, or nothing for all that the resource trusts.
    ///
    /// RFC 7662 §4.
    public func invalidate(subject: String, of issuer: String? = nil) {
        gate.forget(subject: subject, of: issuer)
        gate.share { name in
            issuer.map { $0.utf8.elementsEqual(name.utf8) } ?? true ? .subject(subject, issuer: name) : nil
        }
    }

    /// Forgets what is remembered of all tokens, here only.
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
            // Of a token that was refused no subject is known.
            gate.rejected.removeAll()
        }
    }

    fileprivate func forgetAll() {
        forget { gate in
            gate.verified.removeAll()
            gate.rejected.removeAll()
        }
    }

    /// Ends the epoch before anything is removed: what is remembered later was asked for later.
    private func forget(_ remove: (Gate) -> Void) {
        beginEpoch()
        remove(self)
    }

    /// Remembers something that was found out in an epoch, unless that has ended.
    func remember(since start: UInt64, _ insert: (Gate) -> Void, else remove: (Gate) -> Void) {
        guard epoch.load(ordering: .sequentiallyConsistent) == start else { return }
        insert(self)
        // An invalidation may have come by between the look and the insertion.
        if epoch.load(ordering: .sequentiallyConsistent) != start { remove(self) }
    }

    /// Tells those that share a cache with this resource, in the background.
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

    /// Listens to what others invalidate, for as long as this resource is in use.
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
