// SPDX-License-Identifier: MIT

/// The differences between the old and the new resources of a program.
///
/// RFC 9728 §5.2, §7.6.
package struct ResourceReplacement: Sendable {
    /// The same resource before and after.
    private let kept: [(old: ProtectedResource, new: ProtectedResource)]
    private let added: [ProtectedResource]
    private let removed: [ProtectedResource]

    package init(of old: [ProtectedResource], by new: [ProtectedResource]) {
        // Compared byte for byte: another spelling is another resource, whose tokens have another audience.
        let before = Dictionary(old.map { (Array($0.identifier.text.utf8), $0) }) { first, _ in first }
        let after = Set(new.map { Array($0.identifier.text.utf8) })
        kept = new.compactMap { next in
            before[Array(next.identifier.text.utf8)].map { (old: $0, new: next) }
        }
        added = new.filter { before[Array($0.identifier.text.utf8)] == nil }
        removed = old.filter { !after.contains(Array($0.identifier.text.utf8)) }
    }

    /// Transfers the state of old resources to new ones, before these answer any request.
    package func handOver() {
        for (old, new) in kept { new.inheritState(from: old) }
    }

    /// Frees the cached tokens of old resources, once no new request uses them.
    ///
    /// Otherwise the last request that began with an old resource would free up to millions of tokens, on its
    /// event loop.
    package func retireOld() {
        for (old, new) in kept { old.retire(for: new) }
        for resource in removed { resource.invalidateAllTokens() }
    }

    /// Reports the changes to the log and to each resource's `onEvent`.
    package func announce(_ log: (String) -> Void) {
        for (old, new) in kept where !old.metadataHash.utf8.elementsEqual(new.metadataHash.utf8) {
            log("metadata of \(new.identifier): \(old.metadataHash) is now \(new.metadataHash)")
            new.announceDocument(replacing: old.metadataHash)
        }
        for resource in added {
            log("metadata of \(resource.identifier): new, \(resource.metadataHash)")
            resource.announceDocument(replacing: nil)
        }
        for resource in removed {
            log("metadata of \(resource.identifier): gone, was \(resource.metadataHash)")
            resource.announceRemoval()
        }
    }
}
