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

    /// The additional state of a resource with signed metadata.
    private final class Signed: Sendable {
        let metadata: ProtectedResourceMetadata
        let maxAge: Int
        let signer: MetadataSigner
        /// Keys that sign something else.
        let furtherKeys: [JSONObject]
        let hash: String
        let state: Mutex<State>

        init(
            _ metadata: ProtectedResourceMetadata, _ maxAge: Int, _ signer: MetadataSigner,
            _ furtherKeys: [JSONObject], at now: Double
        ) throws(JOSEError) {
            self.furtherKeys = furtherKeys
            self.metadata = metadata
            self.maxAge = maxAge
            self.signer = signer
            hash = MetadataDocument.hash(of: metadata.json.serialized())
            state = Mutex(
                State(
                    documents: try Self.make(metadata, maxAge, signer, furtherKeys, retired: [], at: now)))
        }

        /// Returns the documents to serve, signed again if due.
        func documents(at now: NumericDate) -> Documents {
            state.withLock { state in
                let now = now.seconds
                // Also if the clock was set back, since the signature would be from the future.
                guard now >= state.documents.renewAt || now < state.documents.madeAt - 1 else {
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

        func inherit(from earlier: Signed, now: NumericDate) {
            let (end, retired) = earlier.state.withLock { ($0.documents.signatureEnd, $0.retired) }
            let known = [signer.publicKey] + signer.otherKeys
            let kept = (retired + [RetiredKey(key: earlier.signer.publicKey, end: end)]).filter { entry in
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
            _ metadata: ProtectedResourceMetadata, _ maxAge: Int, _ signer: MetadataSigner,
            _ furtherKeys: [JSONObject], retired: [RetiredKey], at now: Double
        ) throws(JOSEError) -> Documents {
            let signature = try signer.sign(at: Int(now))
            var complete = metadata
            complete.signedMetadata = signature
            let vary = signer.answersAcceptedJWT ? "Accept" : nil
            let keys = [signer.publicKey] + signer.otherKeys + retired.map(\.key) + furtherKeys
            return Documents(
                metadata: MetadataDocument(
                    complete.json.serialized(), "application/json", maxAge: maxAge, vary: vary),
                signed: signer.answersAcceptedJWT
                    ? MetadataDocument(
                        Array(signature.utf8), MetadataSigning.mediaType, maxAge: maxAge, vary: vary)
                    : nil,
                keys: MetadataPublisher.keySet(keys, maxAge: maxAge),
                madeAt: now,
                renewAt: min(now + signer.lifetime / 2, retired.map(\.end).min() ?? .infinity),
                signatureEnd: now.rounded(.down) + signer.lifetime)
        }
    }

    /// The document of unsigned metadata, made for the first request: a server may have thousands of
    /// resources.
    private final class Unsigned: Sendable {
        let document: MetadataDocument

        init(_ document: MetadataDocument) {
            self.document = document
        }
    }

    /// `nil` for unsigned metadata.
    private let signed: Signed?
    private let unsigned = AtomicLazyReference<Unsigned>()
    private let maxAge: Int
    /// The keys of a resource with unsigned metadata that signs something else; `nil` without keys.
    private let unsignedKeys: Unsigned?

    init(
        _ metadata: ProtectedResourceMetadata, maxAge: Int, signing: MetadataSigning?,
        publishing keys: [JWK] = [], now: NumericDate
    ) throws(JOSEError) {
        self.maxAge = maxAge
        let keys = keys.map(MetadataSigner.published)
        if let signing {
            signed = try Signed(metadata, maxAge, MetadataSigner(signing, metadata), keys, at: now.seconds)
            unsignedKeys = nil
        } else {
            signed = nil
            unsignedKeys = keys.isEmpty ? nil : Unsigned(Self.keySet(keys, maxAge: maxAge))
        }
    }

    private static func keySet(_ keys: [JSONObject], maxAge: Int) -> MetadataDocument {
        let json: JSONObject = ["keys": .array(keys.map(JSONValue.object))]
        return MetadataDocument(json.serialized(), "application/jwk-set+json", maxAge: maxAge)
    }

    /// The SHA-256 of the document without a signature: changes if and only if the metadata does.
    ///
    /// - Parameter metadata: That with which this was made; not kept here, since the resource has it.
    func hash(of metadata: ProtectedResourceMetadata) -> String {
        signed?.hash ?? MetadataDocument.hash(of: metadata.json.serialized())
    }

    /// The length of the document at the moment, in bytes.
    func byteCount(of metadata: ProtectedResourceMetadata, at now: NumericDate) -> Int {
        signed?.documents(at: now).metadata.body.count ?? metadata.json.serialized().count
    }

    /// The keys to verify signatures with, or `nil`.
    func keys(at now: NumericDate) -> MetadataDocument? {
        signed.map { $0.documents(at: now).keys } ?? unsignedKeys?.document
    }

    /// Returns the documents to serve, signed again if due.
    func documents(of metadata: @autoclosure () -> ProtectedResourceMetadata, at now: NumericDate)
        -> Documents
    {
        if let signed { return signed.documents(at: now) }
        let made =
            unsigned.load() ?? unsigned.storeIfNil(Unsigned(MetadataDocument(metadata(), maxAge: maxAge)))
        return Documents(
            metadata: made.document, signed: nil, keys: nil, madeAt: 0, renewAt: .infinity, signatureEnd: 0)
    }

    /// Keeps publishing the signing keys of an earlier publisher while their signatures are valid.
    func inherit(from earlier: MetadataPublisher, now: NumericDate) {
        if let signed, let before = earlier.signed { signed.inherit(from: before, now: now) }
    }
}
