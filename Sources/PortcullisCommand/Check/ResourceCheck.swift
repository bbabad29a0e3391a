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

    /// Creates a check.
    ///
    /// - Parameters:
    ///   - fetcher: Sends the requests, and decides which addresses it connects to.
    ///   - allowsLoopback: Whether `http` URLs on loopback are fetched.
    ///   - timeout: The maximum duration of each exchange.
    package init(fetcher: any Fetcher, allowsLoopback: Bool, timeout: Duration = .seconds(5)) {
        self.fetcher = fetcher
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
        let method: Method
        do throws(DiscoveryError) {
            (answer, method) = try await call(url, &report)
        } catch {
            report.trouble = error.description
            return report
        }
        report.exchange = Exchange(method, url, answer)
        let challenge = ChallengeLint(answer, &report)
        report.exchange = nil
        let location = challenge.metadataURL ?? identifier.metadataURL
        report.metadataURL = location
        let isChallenged = answer.status == .unauthorized
        let found = await checkDocument(at: location, identifier, isChallenged: isChallenged, &report)
        await checkDerivedLocation(identifier, comparedWith: location, &report)
        async let probed = probes(identifier, location: location, answer, method)
        if let found { await checkServers(found, &report) }
        report.findings += await probed
        await checkRoot(identifier, &report)
        return report
    }

    /// Calls the resource without a token: by GET, and by POST if GET is not allowed there, as at MCP servers.
    ///
    /// RFC 9110 §15.5.6.
    private func call(
        _ url: String, _ report: inout CheckReport
    ) async throws(DiscoveryError) -> (FetchResponse, Method) {
        let answer = try await discovery.answer(at: url)
        guard answer.status == .methodNotAllowed else { return (answer, .get) }
        let allowed = answer.fields.values(of: .allow).joined(separator: ",").utf8
            .split { $0 == 0x2C || $0 == 0x20 || $0 == 0x09 }
        guard allowed.isEmpty || allowed.contains(where: { $0.elementsEqual("POST".utf8) }) else {
            return (answer, .get)
        }
        report.note(.note, "probe.method", "GET is answered 405, so the resource is called by POST.")
        return (try await discovery.answer(at: url, isPost: true), .post)
    }

    /// Sends one request.
    ///
    /// A POST has an empty JSON object.
    func fetch(
        _ url: String, _ method: Method = .get, _ fields: Fields = [:]
    ) async throws(FetchError) -> FetchResponse {
        var all: Fields = [.accept: "application/json"]
        if method == .post { all[.contentType] = "application/json" }
        for field in fields { all[field.name] = field.value }
        return try await fetcher.fetch(
            FetchRequest(
                url: url, method: method, fields: all, body: method == .post ? Array("{}".utf8) : [],
                timeout: timeout, maxResponseByteCount: 1_048_576))
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
        _ identifier: ResourceIdentifier, comparedWith location: String, _ report: inout CheckReport
    ) async {
        let derived = identifier.metadataURL
        guard !derived.utf8.elementsEqual(location.utf8) else { return }
        do throws(DiscoveryError) {
            _ = try await discovery.metadata(of: identifier)
            report.note(
                .pass, "metadata.derived", "The document is also at the derived location: \(derived)")
        } catch {
            report.exchange = Exchange(sent: "GET \(derived)", received: error.description)
            defer { report.exchange = nil }
            report.note(
                .warn, "metadata.derived",
                "There is no document for this URL at its derived location (RFC 9728 §3.1): \(derived)")
        }
    }

    /// Checks the root location, the only one that scanners and some clients use.
    private func checkRoot(_ identifier: ResourceIdentifier, _ report: inout CheckReport) async {
        let root = identifier.url.origin(of: identifier.text) + WellKnownLocation.root
        guard let response = try? await fetch(root) else { return }
        let readiness = Readiness(response)
        report.rootReadiness = readiness
        report.exchange = Exchange(.get, root, response)
        defer { report.exchange = nil }
        if readiness.hasDocument {
            report.note(
                .pass, "root.document", "There is also a document at the root, where scanners look.")
        } else {
            report.note(
                .note, "root.document",
                "There is no document at \(root); scanners, and clients such as ChatGPT, look only there.")
        }
    }
}
