// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE

/// Checks a metadata document: its response, its syntax, its members.
///
/// RFC 9728 §2, §3.2.
enum DocumentLint {
    /// Checks the response, and the document in it if there is one.
    static func check(_ response: FetchResponse, _ report: inout CheckReport) -> JSONObject? {
        guard response.status == .ok else {
            report.note(.fail, "metadata.status", statusSentence(response))
            if (300..<400).contains(response.status.code) {
                report.note(
                    .warn, "clients.redirect",
                    "oauth4webapi and other clients that obey RFC 9728 §3.2 do not follow the redirect.")
            }
            return nil
        }
        report.note(.pass, "metadata.status", "The metadata URL is answered 200.")
        checkMediaType(response, &report)
        checkCaching(response, &report)
        return document(response.body, &report)
    }

    private static func statusSentence(_ response: FetchResponse) -> String {
        let status = response.status
        return (300..<400).contains(status.code)
            ? "The metadata URL is answered with a redirect (\(status.code))\(response.target), which clients do "
                + "not follow "
                + "(RFC 9728 §3.2)."
            : "The metadata URL is answered \(status.code) and not 200 (RFC 9728 §3.2)."
    }

    private static func checkMediaType(_ response: FetchResponse, _ report: inout CheckReport) {
        let type = response.fields[.contentType] ?? ""
        if !response.isJSON {
            report.note(
                .fail, "metadata.media-type",
                "The media type is not application/json (RFC 9728 §3.2): “\(Exchange.shown(type))”.")
        } else if !type.utf8.starts(with: "application/json".utf8)
            || type.utf8.contains(0x20) && type.contains(" ;")
        {
            report.note(
                .warn, "metadata.media-type",
                "The media type is “\(Exchange.shown(type))”; oauth4webapi accepts only application/json, in lower case."
            )
        } else {
            report.note(.pass, "metadata.media-type", "The media type is application/json.")
        }
    }

    private static func checkCaching(_ response: FetchResponse, _ report: inout CheckReport) {
        let directives = response.fields.values(of: .cacheControl).joined(separator: ",")
        if ASCII.lowercased(directives).contains("max-age") {
            report.note(.pass, "metadata.cache", "Cache-Control has max-age.")
        } else {
            report.note(
                .warn, "metadata.cache",
                "Cache-Control has no max-age, so clients do not know how long the document is fresh "
                    + "(RFC 9728 §7.10).")
        }
        if response.fields[.etag] == nil {
            report.note(.note, "metadata.etag", "There is no ETag for conditional requests.")
        }
    }

    /// Checks the document's bytes.
    static func document(_ body: [UInt8], _ report: inout CheckReport) -> JSONObject? {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(body)
        } catch {
            report.note(
                .fail, "metadata.json",
                "The document is not strict JSON; found \(JSONProblem(error, in: body)) (RFC 8259).")
            return nil
        }
        guard let object = json.object else {
            report.note(.fail, "metadata.json", "The document is not a JSON object (RFC 9728 §3.2).")
            return nil
        }
        report.resource = object["resource"]?.string
        report.authorizationServers = object["authorization_servers"]?.strings ?? []
        checkMembers(object, &report)
        return object
    }

    private static func checkMembers(_ object: JSONObject, _ report: inout CheckReport) {
        let failures = report.count(of: .fail)
        do throws(ConfigurationError) {
            noteWarnings(try ProtectedResourceMetadata(json: .object(object)), object, &report)
        } catch {
            for problem in error.problems {
                report.note(.fail, "metadata.member", problem.description, about: problem.path ?? "")
            }
            // The valid members may still deserve warnings.
            let rest = object.withoutMembers(of: error.problems)
            if let metadata = try? ProtectedResourceMetadata(json: .object(rest)) {
                noteWarnings(metadata, object, &report)
            }
        }
        for member in object.members where isEmptyList(member) {
            report.note(
                .warn, "metadata.empty",
                "\(member.name) is an empty array and must be omitted (RFC 9728 §3.2).")
        }
        if report.count(of: .fail) == failures {
            report.note(.pass, "metadata.members", "Every member conforms to RFC 9728 §2.")
        }
    }

    private static func noteWarnings(
        _ metadata: ProtectedResourceMetadata, _ object: JSONObject, _ report: inout CheckReport
    ) {
        for warning in metadata.findings(at: "$").warnings {
            report.note(.warn, "metadata.member", warning)
        }
        if metadata.resourceName.text == nil, object["resource_name"] == nil {
            report.note(.note, "metadata.name", "There is no resource_name to show to users (RFC 9728 §2).")
        }
        if metadata.scopesSupported.isEmpty, object["scopes_supported"] == nil {
            report.note(.note, "metadata.scopes", "There are no scopes_supported (RFC 9728 §2).")
        }
    }

    private static func isEmptyList(_ member: JSONObject.Member) -> Bool {
        // RFC 9728 §2: an empty bearer_methods_supported means that no bearer method is supported.
        member.value.array?.isEmpty == true && member.name != "bearer_methods_supported"
    }

    /// Compares the document's `resource` with the requested URL.
    ///
    /// RFC 9728 §3.3.
    static func checkResource(
        _ resource: String, for requested: String, atRoot: Bool, isChallenged: Bool,
        _ report: inout CheckReport
    ) {
        if resource.utf8.elementsEqual(requested.utf8) {
            report.note(.pass, "metadata.resource", "The document's resource is the requested URL.")
        } else if ProtectedResourceDiscovery.ResourceMatching.identicalOrAbove.accepts(
            resource, for: requested)
        {
            report.note(
                .warn, "metadata.resource",
                "The document's resource is \(Exchange.shown(resource)), above the requested URL; clients that follow "
                    + "RFC 9728 §3.3 refuse it. Check the resource itself.")
        } else if !isChallenged, isBelow(resource, requested) {
            report.note(
                .warn, "metadata.resource",
                "The document's resource is \(Exchange.shown(resource)), below the requested URL. Check the resource itself."
            )
        } else {
            report.note(
                .fail, "metadata.resource",
                "The document's resource is \(Exchange.shown(resource)), not the requested URL (RFC 9728 §3.3)."
            )
        }
        let refusing = KnownClient.allCases.filter {
            !$0.accepts(resource: resource, for: requested, atRoot: atRoot)
        }
        if !refusing.isEmpty {
            let names = refusing.map(\.rawValue).joined(separator: ", ")
            report.note(
                .warn, "clients.resource", "These clients refuse the document for this URL: \(names).")
        }
    }

    /// Whether a resource has the same origin as a public URL and lies below its path.
    private static func isBelow(_ resource: String, _ requested: String) -> Bool {
        ProtectedResourceDiscovery.ResourceMatching.identicalOrAbove.accepts(requested, for: resource)
    }
}

extension FetchResponse {
    /// Where a redirect leads, after "to", without the query; empty if it is not shown.
    var target: String {
        fields[.location].flatMap(ForeignText.shownURL).map { " to \($0)" } ?? ""
    }
}

extension JSONObject {
    /// The object without the members that the problems' paths name.
    fileprivate func withoutMembers(of problems: [ConfigurationError.Problem]) -> JSONObject {
        var rest = self
        for problem in problems {
            guard let path = problem.path, path.hasPrefix("$.") else { continue }
            rest[String(path.dropFirst(2).prefix { $0 != "[" })] = nil
        }
        return rest
    }
}
