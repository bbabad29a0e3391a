// SPDX-License-Identifier: MIT

package import Portcullis

extension Response {
    /// What few responses have, in an object of its own, so that all others are copied faster.
    final class Rarities: Sendable {
        struct Content: Sendable {
            var ignoredCertificate: IgnoredCertificate?
            var refusalFinding: RefusalFinding?
            var failure: String?
            var relayed: RelayedHead?
            var problemDetail: String?
        }

        let content: Content

        init(_ content: Content) {
            self.content = content
        }
    }

    private mutating func change(_ change: (inout Rarities.Content) -> Void) {
        var content = rarities?.content ?? Rarities.Content()
        change(&content)
        rarities = Rarities(content)
    }

    /// Why a certificate of the client did not count, for the log.
    package var ignoredCertificate: IgnoredCertificate? {
        get { rarities?.content.ignoredCertificate }
        set { change { $0.ignoredCertificate = newValue } }
    }

    /// What the gate expected and got, if the request needs findings.
    package var refusalFinding: RefusalFinding? {
        get { rarities?.content.refusalFinding }
        set {
            // Without either, an object would be made in vain.
            guard newValue != nil || refusalFinding != nil else { return }
            change { $0.refusalFinding = newValue }
        }
    }

    /// The type of an error that a handler threw, for the log only.
    package var failure: String? {
        get { rarities?.content.failure }
        set { change { $0.failure = newValue } }
    }

    /// A sentence for the client about one of the server's own errors.
    ///
    /// RFC 9457 §3.1.4.
    var problemDetail: String? {
        get { rarities?.content.problemDetail }
        set { change { $0.problemDetail = newValue } }
    }

    /// What only a response from another server has; `nil` for all others.
    package var relayed: RelayedHead? {
        get { rarities?.content.relayed }
        set { change { $0.relayed = newValue } }
    }
}
