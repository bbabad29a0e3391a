// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

extension ProtectedResource {
    /// Forgets what is remembered of one token, so that its next use is checked anew.
    ///
    /// An introspection that is under way is not remembered either. A JWT that is verified with its issuer's keys stays good until
    /// its `exp`: nothing but introspection tells of its revocation.
    ///
    /// RFC 7662 §4.
    public func invalidate(_ token: String) {
        let digest = Digest.sha256(Array(token.utf8))
        gate.forget { gate in
            gate.verified.remove(digest)
            gate.rejected.remove(digest)
        }
    }

    /// Forgets what is remembered of every token that speaks for a subject.
    ///
    /// Walks over all that is remembered: a millisecond for ten thousand tokens.
    ///
    /// - Parameters:
    ///   - subject: The `sub` of the tokens, compared code point by code point.
    ///   - issuer: The issuer within which the subject is unique, or nothing for all that the resource trusts.
    ///
    /// RFC 7662 §4.
    public func invalidate(subject: String, of issuer: String? = nil) {
        gate.forget { gate in
            gate.verified.removeAll { known in
                known.token.subject?.utf8.elementsEqual(subject.utf8) == true
                    && issuer.map { known.token.issuer.utf8.elementsEqual($0.utf8) } ?? true
            }
            // Of a token that was refused no subject is known.
            gate.rejected.removeAll()
        }
    }

    /// Forgets what is remembered of all tokens.
    public func invalidateAllTokens() {
        gate.forget { gate in
            gate.verified.removeAll()
            gate.rejected.removeAll()
        }
    }
}

extension Gate {
    /// Ends the epoch before anything is removed: what is remembered later was asked for later.
    fileprivate func forget(_ remove: (Gate) -> Void) {
        epoch.add(1, ordering: .sequentiallyConsistent)
        remove(self)
    }

    /// Remembers something that was found out in an epoch, unless that has ended.
    func remember(since start: UInt64, _ insert: (Gate) -> Void, else remove: (Gate) -> Void) {
        guard epoch.load(ordering: .sequentiallyConsistent) == start else { return }
        insert(self)
        // An invalidation may have come by between the look and the insertion.
        if epoch.load(ordering: .sequentiallyConsistent) != start { remove(self) }
    }
}
