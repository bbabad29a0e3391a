// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

/// Keeps the documents of one resource, and signs them again before the signature expires.
///
/// A request that finds the signature due signs: at most once per half of the lifetime, or once per second
/// while it fails.
///
/// RFC 9728 §2.2, §3.2.
final class MetadataPublisher: Sendable {
    /// The documents until the next signature.
    struct Documents: Sendable {
        let metadata: MetadataDocument
        /// The signed document alone, for requests that accept it, if enabled.
        let signed: MetadataDocument?
        /// The keys to verify signatures with.
        let keys: MetadataDocument?
        fileprivate let madeAt: Double
        fileprivate let renewAt: Double
        fileprivate let signatureEnd: Double
    }

    /// An earlier signing key, and the end of its signatures' validity.
    private struct RetiredKey: Sendable {
        let key: JSONObject
        let end: Double
    }

    private struct State: Sendable {
        var documents: Documents
        var retired: [RetiredKey] = []
    }

    /// The SHA-256 of the document without a signature: changes if and only if the metadata does.
    let hash: String
    private let metadata: ProtectedResourceMetadata
    private let maxAge: Int
    private let signer: MetadataSigner?
    /// Keys that sign something else.
    private let furtherKeys: [JSONObject]
    private let state: Mutex<State>

    init(
        _ metadata: ProtectedResourceMetadata, maxAge: Int, signing: MetadataSigning?,
        publishing keys: [JWK] = [], now: NumericDate
    ) throws(JOSEError) {
        let signer = signing.map { MetadataSigner($0, metadata) }
        self.metadata = metadata
        self.maxAge = maxAge
        self.signer = signer
        hash = MetadataDocument.hash(of: metadata.json.serialized())
        furtherKeys = keys.map(MetadataSigner.published)
        let first = try Self.make(metadata, maxAge, signer, furtherKeys, retired: [], at: now.seconds)
        state = Mutex(State(documents: first))
    }

    /// Returns the documents to serve, signed again if due.
    func documents(at now: NumericDate) -> Documents {
        state.withLock { state in
            let now = now.seconds
            // Also if the clock was set back, since the signature would be from the future.
            guard signer != nil, now >= state.documents.renewAt || now < state.documents.madeAt - 1 else {
                return state.documents
            }
            state.retired.removeAll { $0.end <= now }
            if let next = try? Self.make(
                metadata, maxAge, signer, furtherKeys, retired: state.retired, at: now)
            {
                state.documents = next
            }
            return state.documents
        }
    }

    /// Keeps publishing the signing keys of an earlier publisher while their signatures are valid.
    func inherit(from earlier: MetadataPublisher, now: NumericDate) {
        guard let signer, let before = earlier.signer else { return }
        let (end, retired) = earlier.state.withLock { ($0.documents.signatureEnd, $0.retired) }
        let known = [signer.publicKey] + signer.otherKeys
        let kept = (retired + [RetiredKey(key: before.publicKey, end: end)]).filter { entry in
            entry.end > now.seconds && !known.contains { $0 == entry.key }
        }
        guard !kept.isEmpty else { return }
        state.withLock { state in
            state.retired = kept
            if let next = try? Self.make(
                metadata, maxAge, signer, furtherKeys, retired: kept, at: now.seconds)
            {
                state.documents = next
            }
        }
    }

    private static func make(
        _ metadata: ProtectedResourceMetadata, _ maxAge: Int, _ signer: MetadataSigner?,
        _ furtherKeys: [JSONObject], retired: [RetiredKey], at now: Double
    ) throws(JOSEError) -> Documents {
        func keySet(_ keys: [JSONObject]) -> MetadataDocument {
            let json: JSONObject = ["keys": .array((keys + furtherKeys).map(JSONValue.object))]
            return MetadataDocument(json.serialized(), "application/jwk-set+json", maxAge: maxAge)
        }
        guard let signer else {
            return Documents(
                metadata: MetadataDocument(metadata, maxAge: maxAge), signed: nil,
                keys: furtherKeys.isEmpty ? nil : keySet([]), madeAt: now, renewAt: .infinity,
                signatureEnd: now)
        }
        let signature = try signer.sign(at: Int(now))
        var complete = metadata
        complete.signedMetadata = signature
        let vary = signer.answersAcceptedJWT ? "Accept" : nil
        return Documents(
            metadata: MetadataDocument(
                complete.json.serialized(), "application/json", maxAge: maxAge, vary: vary),
            signed: signer.answersAcceptedJWT
                ? MetadataDocument(
                    Array(signature.utf8), MetadataSigning.mediaType, maxAge: maxAge, vary: vary)
                : nil,
            keys: keySet([signer.publicKey] + signer.otherKeys + retired.map(\.key)),
            madeAt: now,
            renewAt: min(now + signer.lifetime / 2, retired.map(\.end).min() ?? .infinity),
            signatureEnd: now.rounded(.down) + signer.lifetime)
    }
}
