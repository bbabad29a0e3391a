// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE

/// Checks one resource as a client that knows only its URL.
///
/// RFC 9728 §5, §3.
package struct ResourceCheck: Sendable {
    let fetcher: any Fetcher
    let discovery: ProtectedResourceDiscovery
    let allowsLoopback: Bool
    let timeout: Duration
    let time: TimeSource
    /// Whether the resource is known to be a server of the Model Context Protocol.
    private let isMCP: Bool
    private let tokens: CheckTokens?
    let certificates: SeenCertificates

    /// Creates a check.
    ///
    /// - Parameters:
    ///   - fetcher: Sends the requests, and decides which addresses it connects to.
    ///   - allowsLoopback: Whether `http` URLs on loopback are fetched.
    ///   - timeout: The maximum duration of each exchange.
    ///   - isMCP: Whether the resource is a server of the Model Context Protocol; otherwise its answer tells.
    ///   - tokens: The user's tokens, which go to the checked URL only.
    ///   - time: The clock, for the times of tokens.
    ///   - certificates: What servers have shown to the fetcher.
    package init(
        fetcher: any Fetcher, allowsLoopback: Bool, timeout: Duration = .seconds(5), isMCP: Bool = false,
        tokens: CheckTokens? = nil, time: TimeSource = .system,
        certificates: SeenCertificates = SeenCertificates()
    ) {
        let fetcher = tokens.map { RedactingFetcher(fetcher, hiding: $0.all) } ?? fetcher
        self.fetcher = fetcher
        self.isMCP = isMCP
        self.tokens = tokens
        self.certificates = certificates
        self.time = time
        self.allowsLoopback = allowsLoopback
        self.timeout = timeout
        var configuration = ProtectedResourceDiscovery.Configuration()
        configuration.timeout = timeout
        configuration.allowsInsecureLoopback = allowsLoopback
        configuration.resourceMatching = .identicalOrAbove
        discovery = ProtectedResourceDiscovery(fetcher: fetcher, configuration: configuration)
    }

    /// Checks a resource.
    ///
    /// Independent requests run concurrently.
    package func report(on url: String) async -> CheckReport {
        var report = CheckReport(subject: url)
        guard let identifier = try? ResourceIdentifier(validating: url) else {
            report.trouble =
                "This is not a resource URL: https, without a fragment and without user information."
            return report
        }
        guard IssuerURL.isFetchable(url, allowingInsecureLoopback: allowsLoopback) else {
            report.trouble = "http is allowed on loopback only, and only with --allow-private."
            return report
        }
        let answer: FetchResponse
        let form: CallForm
        do throws(FetchError) {
            (answer, form) = try await call(url, &report)
        } catch {
            report.trouble = DiscoveryError.noResponse(error).description
            return report
        }
        let challenge = check(answer, identifier, form, &report)
        let location = challenge.metadataURL ?? identifier.metadataURL
        report.metadataURL = location
        let isChallenged = answer.status == .unauthorized
        let found = await checkDocument(at: location, identifier, isChallenged: isChallenged, &report)
        challenge.compare(with: found?.metadata, &report)
        await checkDerivedLocation(identifier, comparedWith: location, found, &report)
        async let probed = probes(identifier, location: location, answer, form)
        if let found { await checkServers(found, isMCP: form.isMCP, &report) }
        report.findings += await probed
        if let peer = certificates.peer(of: identifier.url.host) {
            let digest = Digest.sha256(peer.certificate).base64URL
            report.facts.append(WatchedFact("certificate", digest))
        }
        await checkRoot(identifier, found, &report)
        report.findings += ClientSteps.findings(report.findings, isMCP: form.isMCP)
        if let tokens {
            let probes = TokenProbes(
                check: self, tokens: tokens, url: url, metadata: found?.metadata,
                keys: await publishedKeys(found), answer: answer)
            report.findings += await probes.findings(form)
        }
        return report
    }

    /// Checks the response to the call without a token.
    private func check(
        _ answer: FetchResponse, _ identifier: ResourceIdentifier, _ form: CallForm,
        _ report: inout CheckReport
    ) -> ChallengeLint {
        report.exchange = Exchange(form.method, identifier.text, answer)
        defer { report.exchange = nil }
        if form != .get, !isMCP {
            report.note(
                .note, "probe.method", "GET is answered 405 or 406, so the resource is called by POST.")
        }
        return ChallengeLint(answer, for: identifier, &report)
    }

    /// Calls the resource without a token: by GET, and by POST if GET is not allowed there, as at MCP servers.
    ///
    /// RFC 9110 §15.5.6.
    private func call(
        _ url: String, _ report: inout CheckReport
    ) async throws(FetchError) -> (FetchResponse, CallForm) {
        if isMCP { return (try await fetch(url, as: .mcp), .mcp) }
        let answer = try await fetch(url, as: .get)
        let isRefused = answer.status == .methodNotAllowed
        // An MCP server may have a stream for GET, and then refuses a client that takes no stream.
        guard isRefused || answer.status.code == 406 else { return (answer, .get) }
        let allowed = answer.fields.values(of: .allow).joined(separator: ",").utf8
            .split { $0 == 0x2C || $0 == 0x20 || $0 == 0x09 }
        guard allowed.isEmpty || allowed.contains(where: { $0.elementsEqual("POST".utf8) }) else {
            return (answer, .get)
        }
        let posted = try await fetch(url, as: .mcp)
        if Self.isMCP(posted, of: url) { return (posted, .mcp) }
        return isRefused ? (posted, .post) : (answer, .get)
    }

    /// Whether a server that refuses GET is one of the Model Context Protocol, by its answer or its path.
    private static func isMCP(_ response: FetchResponse, of url: String) -> Bool {
        let path = (try? HTTPURL(url))?.path ?? ""
        return MCPAnswer(response) != .other || MCPAnswer.isEventStream(response)
            || response.fields.contains("Mcp-Session-Id") || path.utf8.suffix(4).elementsEqual("/mcp".utf8)
    }

    /// Calls the resource in one of its forms.
    func fetch(
        _ url: String, as form: CallForm, _ fields: Fields = [:]
    ) async throws(FetchError) -> FetchResponse {
        var all = form.fields
        for field in fields { all[field.name] = field.value }
        return try await fetch(url, form.method, all, body: form.body)
    }

    /// Sends one request.
    ///
    /// - Parameter body: The body; `nil` for an empty JSON object with POST, and for none otherwise.
    func fetch(
        _ url: String, _ method: Method = .get, _ fields: Fields = [:], body: [UInt8]? = nil
    ) async throws(FetchError) -> FetchResponse {
        var all: Fields = [.accept: "application/json"]
        if method == .post { all[.contentType] = "application/json" }
        for field in fields { all[field.name] = field.value }
        return try await fetcher.fetch(
            FetchRequest(
                url: url, method: method, fields: all,
                body: body ?? (method == .post ? Array("{}".utf8) : []), timeout: timeout,
                maxResponseByteCount: 1_048_576))
    }

    // MARK: The document

    /// Checks the document, and returns it with its signed values if a client could use it.
    private func checkDocument(
        at location: String, _ identifier: ResourceIdentifier, isChallenged: Bool,
        _ report: inout CheckReport
    ) async -> DiscoveredMetadata? {
        guard IssuerURL.isFetchable(location, allowingInsecureLoopback: allowsLoopback) else {
            report.note(
                .fail, "challenge.resource-metadata",
                "The challenge's resource_metadata is not an absolute https URL (RFC 9728 §5.1): \(location)")
            return nil
        }
        let response: FetchResponse
        do throws(FetchError) {
            response = try await fetch(location)
        } catch {
            report.readiness = Readiness(document: nil)
            report.exchange = Exchange(.get, location, error)
            report.note(
                .fail, "metadata.status", "\(location): \(DiscoveryError.noResponse(error).description)")
            return nil
        }
        report.readiness = Readiness(response)
        report.exchange = Exchange(.get, location, response)
        defer { report.exchange = nil }
        guard let object = DocumentLint.check(response, &report) else { return nil }
        report.facts += WatchedFact.facts(ofResource: object)
        let scopes = object["scopes_supported"]?.strings ?? []
        report.findings += ScopeNames.findings(scopes)
        let issuers = object["authorization_servers"]?.strings ?? []
        let entra = EntraRule.finding(
            resource: object["resource"]?.string ?? "", scopes: scopes, issuers: issuers)
        if let entra { report.findings.append(entra) }
        let root = identifier.url.origin(of: identifier.text) + WellKnownLocation.root
        if let resource = object["resource"]?.string {
            DocumentLint.checkResource(
                resource, for: identifier.text,
                atRoot: location.utf8.elementsEqual(root.utf8) && identifier.path.utf8.count > 1,
                isChallenged: isChallenged, &report)
        }
        return await checkSignature(location, object, identifier, &report)
    }

    /// Reads the document as a client would, with its `signed_metadata`.
    private func checkSignature(
        _ location: String, _ object: JSONObject, _ identifier: ResourceIdentifier,
        _ report: inout CheckReport
    ) async -> DiscoveredMetadata? {
        do throws(DiscoveryError) {
            let found = try await discovery.metadata(at: location, challengedAt: identifier.text)
            if let signer = found.signer {
                report.signer = signer
                report.note(.pass, "metadata.signed", "The signed_metadata is valid, issued by \(signer).")
            }
            return found
        } catch {
            if case .signedMetadata(let fault) = error {
                let level: Finding.Level = fault == .untrustedIssuer ? .warn : .fail
                report.note(level, "metadata.signed", fault.description)
            }
        }
        // The problem has been reported; the authorization servers are checked nevertheless.
        let metadata = try? ProtectedResourceMetadata(json: .object(object))
        return metadata.map {
            DiscoveredMetadata(location: location, metadata: $0, document: object, signer: nil)
        }
    }

    /// Checks the derived location, which clients use that do not read the challenge.
    private func checkDerivedLocation(
        _ identifier: ResourceIdentifier, comparedWith location: String, _ found: DiscoveredMetadata?,
        _ report: inout CheckReport
    ) async {
        let derived = identifier.metadataURL
        guard !derived.utf8.elementsEqual(location.utf8) else { return }
        do throws(DiscoveryError) {
            let other = try await discovery.metadata(of: identifier)
            report.note(
                .pass, "metadata.derived", "The document is also at the derived location: \(derived)")
            report.exchange = Exchange(sent: "GET \(derived)", received: "200, another document")
            defer { report.exchange = nil }
            if let found { compare(other.document, at: derived, with: found.document, &report) }
        } catch {
            report.exchange = Exchange(sent: "GET \(derived)", received: error.description)
            defer { report.exchange = nil }
            report.note(
                .warn, "metadata.derived",
                "There is no document for this URL at its derived location (RFC 9728 §3.1): \(derived)")
            if error.cause == .resourceMismatch {
                report.note(
                    .warn, "metadata.agreement",
                    "The document at the derived location names another resource: \(derived)", about: derived)
            }
        }
    }

    /// Checks the root location, the only one that scanners and some clients use.
    private func checkRoot(
        _ identifier: ResourceIdentifier, _ found: DiscoveredMetadata?, _ report: inout CheckReport
    ) async {
        await checkOriginServer(identifier, found, &report)
        let root = identifier.url.origin(of: identifier.text) + WellKnownLocation.root
        guard let response = try? await fetch(root) else { return }
        let readiness = Readiness(response)
        report.rootReadiness = readiness
        report.exchange = Exchange(.get, root, response)
        defer { report.exchange = nil }
        if readiness.hasDocument {
            report.note(
                .pass, "root.document", "There is also a document at the root, where scanners look.")
            if let found, let document = (try? JSONValue.parse(response.body))?.object {
                compare(document, at: root, with: found.document, &report)
            }
        } else {
            report.note(
                .note, "root.document",
                "There is no document at \(root); scanners, and clients such as ChatGPT, look only there.")
        }
    }

    /// Compares another copy of the document with the one that clients use.
    ///
    /// At the root, the document may be that of another resource on the same host. RFC 9728 §3.
    private func compare(
        _ copy: JSONObject, at location: String, with document: JSONObject, _ report: inout CheckReport
    ) {
        let isSame = copy["resource"] == document["resource"]
        let servers = Set(document["authorization_servers"]?.strings ?? [])
        if !isSame {
            report.note(
                .note, "metadata.agreement",
                "The document at \(location) is about another resource; clients that look only there use it.",
                about: location)
        } else if Set(copy["authorization_servers"]?.strings ?? []) != servers {
            report.note(
                .warn, "metadata.agreement",
                "The document at \(location) names other authorization servers.", about: location)
        }
    }

    /// Whether the resource's origin has metadata of an authorization server, which clients of MCP 2025-03-26
    /// use without reading the document.
    private func checkOriginServer(
        _ identifier: ResourceIdentifier, _ found: DiscoveredMetadata?, _ report: inout CheckReport
    ) async {
        let origin = identifier.url.origin(of: identifier.text)
        let isListed = found?.metadata.authorizationServers.contains { issuer in
            (try? HTTPURL(issuer))?.hasOrigin(of: identifier.url) ?? false
        }
        guard isListed != true else { return }
        let location = origin + "/.well-known/oauth-authorization-server"
        guard let response = try? await fetch(location), response.status == .ok,
            (try? JSONValue.parse(response.body))?.object?["issuer"]?.string != nil
        else { return }
        report.exchange = Exchange(.get, location, response)
        defer { report.exchange = nil }
        report.note(
            .note, "root.authorization-server",
            "The resource's origin has metadata of an authorization server that the document does not list.")
    }

    /// The keys of the document's first authorization servers, for tokens that must be refused.
    private func publishedKeys(_ found: DiscoveredMetadata?) async -> [JSONObject] {
        var keys: [JSONObject] = []
        for issuer in (found?.metadata.authorizationServers ?? []).prefix(4) {
            guard let server = try? await discovery.authorizationServer(issuer),
                let published = try? await discovery.keys(of: server)
            else { continue }
            keys += published.keys.map(\.publicJSON)
        }
        return keys
    }
}
