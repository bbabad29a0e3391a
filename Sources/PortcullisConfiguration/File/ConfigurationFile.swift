// SPDX-License-Identifier: MIT

package import PortcullisJOSE

/// A configuration file, decoded and checked without reading other files or using the network.
package struct ConfigurationFile: Sendable {
    /// The maximum length of a configuration file: 4 MiB.
    package static let maxByteCount = 4_194_304

    package var server = ServerSettings()
    /// `nil`: no admin listener.
    package var admin: AdminSettings?
    /// `nil`: each process keeps its own replay records and caches.
    package var store: StoreSettings?
    package var authorizationServers: [AuthorizationServerSettings] = []
    package var resources: [ResourceSettings] = []
    package var selfCheck = SelfCheckSettings()
    package var publicRoutes: [RouteSettings] = []
    /// Findings that do not prevent a start.
    package var warnings: [Finding] = []

    /// Decodes a file and reports all its problems at once.
    ///
    /// Does not open the files that it names and does not contact the issuers.
    package init(parsing bytes: [UInt8]) throws(InvalidConfiguration) {
        let json: JSONValue
        do {
            json = try JSONValue.parse(bytes, limits: JSONLimits(maximumByteCount: Self.maxByteCount))
        } catch {
            throw InvalidConfiguration(error, in: bytes)
        }
        try self.init(json)
    }

    package init(_ json: JSONValue) throws(InvalidConfiguration) {
        let findings = FindingCollector()
        if let reader = ObjectReader(json, at: .root, findings) {
            read(reader)
            CrossChecks(findings: findings).check(&self)
        }
        if findings.hasErrors { throw InvalidConfiguration(findings: findings.findings) }
        warnings = findings.findings
    }

    private mutating func read(_ reader: ObjectReader) {
        if let object = reader.object("server") { server = ServerSettings(object) }
        admin = reader.object("admin").map(AdminSettings.init)
        store = reader.object("store").flatMap(StoreSettings.init)
        authorizationServers =
            (reader.objects("authorization_servers") ?? []).compactMap(AuthorizationServerSettings.init)
        if let object = reader.object("self_check") { selfCheck = SelfCheckSettings(object) }
        let objects = reader.objects("resources")
        resources = (objects ?? []).compactMap(ResourceSettings.init)
        if reader.object["resources"] == nil {
            reader.error("resources", "missing; must be the list of protected resources")
        } else if reader.object["resources"]?.array?.isEmpty == true {
            reader.error("resources", "must not be empty; list at least one protected resource")
        }
        publicRoutes =
            (reader.objects("public_routes") ?? []).compactMap { RouteSettings($0, isPublic: true) }
        reader.finish()
    }
}

/// The error for a configuration file that cannot be used, with all its problems.
package struct InvalidConfiguration: Error, Sendable, Hashable {
    /// At least one error, and the warnings, in the order of the file.
    package let findings: [Finding]

    package init(findings: [Finding]) {
        self.findings = findings
    }

    /// Creates one error about the whole file.
    package init(_ message: String) {
        findings = [Finding(.error, JSONPath.root.text, message)]
    }

    init(_ error: JSONError, in bytes: [UInt8]) {
        self.init("must be JSON: \(JSONProblem(error, in: bytes))")
    }
}

extension InvalidConfiguration: CustomStringConvertible {
    /// The findings, one a line.
    package var description: String { findings.map(\.description).joined(separator: "\n") }
}
