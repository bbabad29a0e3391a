// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResource {
    /// Returns the answer to a request for this resource's metadata, for use with other servers.
    ///
    /// Needs no token. Answers `GET`, `HEAD` and `OPTIONS`, other methods with 405. The answer to `HEAD` has
    /// no body, and the same `Content-Length` as the answer to `GET`.
    ///
    /// - Returns: `nil` if the request's path and query are not one of the metadata's locations; its
    ///   authority is ignored.
    ///
    /// RFC 9728 §3.1, §3.2.
    public func metadataResponse(to head: RequestHead) -> (head: ResponseHead, body: [UInt8])? {
        guard let target = try? RequestTarget(head), let path = try? target.path(of: head) else { return nil }
        let (text, query) = (path.text, target.query.map { head.text($0) })
        let isHere = gate.locations.places.contains { place in
            place.paths.contains { $0.utf8.elementsEqual(text.utf8) } && place.matches(query: query)
        }
        return isHere ? MetadataDocument.withoutBody(publishedMetadata(for: head), to: head) : nil
    }

    /// Returns the answer with the document, whatever the request's path.
    package func publishedMetadata(for head: RequestHead) -> (head: ResponseHead, body: [UInt8]) {
        let documents = gate.publisher.documents(of: gate.metadata, at: gate.validator.time.now())
        if let signed = documents.signed, AcceptField.names(MetadataSigning.mediaType, in: head) {
            return signed.response(to: head)
        }
        return documents.metadata.response(to: head)
    }

    /// The metadata document as served.
    package var metadataDocument: MetadataDocument {
        gate.publisher.documents(of: gate.metadata, at: gate.validator.time.now()).metadata
    }

    /// The keys that verify the signed metadata; `nil` if it is not signed.
    ///
    /// RFC 9728 §2, `jwks_uri`.
    package var keysDocument: MetadataDocument? {
        gate.publisher.keys(at: gate.validator.time.now())
    }

    /// The locations of the metadata, and its URL in challenges.
    package var metadataLocations: MetadataLocations { gate.locations }

    /// The path of `jwks_uri` if it is on the resource's own server and there are keys to serve.
    package var keysPath: String? {
        guard let text = gate.metadata.jwksURI, keysDocument != nil, let url = try? HTTPURL(text),
            url.hasOrigin(of: identifier.url), url.query == nil
        else { return nil }
        return url.path
    }

    /// The SHA-256 of the metadata without a signature, base64url: changes if and only if the metadata does.
    public var metadataHash: String { gate.publisher.hash(of: gate.metadata) }

    /// The value of the `Link` field of guarded answers, or `nil` if they carry none.
    ///
    /// RFC 8288 §3.
    package var metadataLink: String? {
        gate.linksFromAnswers ? "<\(gate.challenger.metadataURL)>; rel=\"oauth-protected-resource\"" : nil
    }

    /// Whether the first authorization server's metadata is served in addition to the resource's own.
    package var mirrorsAuthorizationServer: Bool { gate.mirrorsAuthorizationServer }

    /// Returns the metadata of the first authorization server, byte for byte; `nil` if it can't be loaded.
    ///
    /// Waits if it was never loaded.
    package func mirroredAuthorizationServer() async -> MetadataDocument? {
        let connection = gate.validator.connections.first { connection in
            metadata.authorizationServers.first?.utf8.elementsEqual(connection.issuer.utf8) ?? false
        }
        guard let reading = await connection?.metadata.reading() else { return nil }
        return MetadataDocument(reading.value.body, "application/json", maxAge: 300)
    }

    /// Emits an event: a replacement of routes changed this resource's metadata.
    package func announceDocument(replacing old: String?) {
        gate.onEvent(.documentChanged(resource: identifier, old: old, new: metadataHash))
    }

    /// Emits an event: a replacement of routes removed this resource.
    package func announceRemoval() {
        gate.onEvent(.documentChanged(resource: identifier, old: metadataHash, new: nil))
    }

    /// Takes over the state of an earlier declaration of the resource, before this one answers any request.
    ///
    /// Keys that signed its metadata stay published until the signatures expire; used proofs stay used, and
    /// nonces valid (RFC 9449 §11.1, §8); an issuer's keys are used until they are fetched again. Cached
    /// tokens are not taken over.
    package func inheritState(from earlier: ProtectedResource) {
        guard earlier.gate !== gate else { return }
        // It may have served before, and its cached tokens may have been invalidated since.
        invalidateAllTokens()
        let now = gate.validator.time.now()
        gate.publisher.inherit(from: earlier.gate.publisher, now: now)
        if let dpop = gate.dpop, let before = earlier.gate.dpop { dpop.inherit(from: before, at: now) }
        guard gate.asksThroughSameFetcher(as: earlier.gate) else { return }
        let before = earlier.gate.validator.connections
        for (index, connection) in gate.validator.connections.enumerated() {
            // Mostly at the same place.
            let old =
                index < before.count && CodePoints.equal(before[index].issuer, connection.issuer)
                ? before[index] : earlier.gate.validator.connection(to: connection.issuer)
            if let old { connection.inheritState(from: old) }
        }
        for directory in gate.validator.patterns {
            let before = earlier.gate.validator.patterns.first { $0.pattern == directory.pattern }
            if let before { directory.inheritState(from: before) }
        }
    }
}

extension ProtectedResource {
    /// The number of cached tokens that passed all checks.
    package var knownTokenCount: Int { gate.verified.count }

    /// Drops the cached tokens of a declaration that another one has replaced.
    ///
    /// Requests that began with it are decided without the cache.
    package func retire(for later: ProtectedResource) {
        if later.gate !== gate { invalidateAllTokens() }
    }
}

/// The media types in `Accept`.
enum AcceptField {
    /// Whether a type is named explicitly, not by a wildcard, and not with a weight of 0.
    ///
    /// RFC 9110 §12.5.1.
    static func names(_ type: String, in head: RequestHead) -> Bool {
        head.fields.values(of: .accept).contains { value in
            value.utf8.split(separator: 0x2C).contains { isElement($0, type) }
        }
    }

    private static func isElement(_ element: Substring.UTF8View, _ type: String) -> Bool {
        let parts = element.split(separator: 0x3B).map(trimmed)
        guard let range = parts.first, ASCII.equalIgnoringCase(range, type) else { return false }
        return !parts.dropFirst().contains { part in
            guard part.lowercased().hasPrefix("q=") else { return false }
            return part.dropFirst(2).allSatisfy { $0 == "0" || $0 == "." }
        }
    }

    private static func trimmed(_ bytes: Substring.UTF8View) -> String {
        let head = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        let end = head.lastIndex { $0 != 0x20 && $0 != 0x09 }
        return end.map { String(decoding: head[...$0], as: UTF8.self) } ?? ""
    }
}
