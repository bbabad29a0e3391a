// SPDX-License-Identifier: MIT

package import PortcullisJOSE
import PortcullisTransport

/// A configuration file, decoded and checked without reading other files or using the network.
package struct ConfigurationFile: Sendable {
    /// The maximum length of a configuration file: 64 MiB.
    package static let maxByteCount = 67_108_864
    /// The maximum number of object members and array elements in a configuration file: 4 million.
    ///
    /// Not the limit of tokens and fetched documents (`JSONLimits`): the operator writes this file.
    package static let maxMemberCount = 4_000_000
    /// The maximum nesting of objects and arrays in a configuration file.
    package static let maxDepth = 20
    /// The maximum number of `resources`: 50 000.
    package static let maxResourceCount = 50_000

    package var server = ServerSettings()
    /// `nil`: no admin listener.
    package var admin: AdminSettings?
    /// `nil`: each process keeps its own replay records and caches.
    package var store: StoreSettings?
    package var authorizationServers: [AuthorizationServerSettings] = []
    package var resources: [ResourceSettings] = []
    package var selfCheck = SelfCheckSettings()
    package var publicRoutes: [RouteSettings] = []
    /// `nil`: proxies cannot ask.
    package var forwardAuth: ForwardAuthSettings?
    /// The file as it is written, for advice about changes.
    package private(set) var document = JSONObject()
    /// Findings that do not prevent a start.
    package var warnings: [Finding] = []

    /// Decodes a file and reports all its problems at once.
    ///
    /// Does not open the files that it names and does not contact the issuers.
    ///
    /// - Parameter cores: The number of cores that decode and check the resources of a long file.
    package init(parsing bytes: [UInt8], onCores cores: Int = 1) throws(InvalidConfiguration) {
        try self.init(
            parsing: bytes,
            within: JSONLimits(
                maximumByteCount: Self.maxByteCount, maximumDepth: Self.maxDepth,
                maximumMemberCount: Self.maxMemberCount), onCores: cores)
    }

    /// Decodes a file within other limits than the file's own.
    package init(
        parsing bytes: [UInt8], within limits: JSONLimits, onCores cores: Int = 1
    ) throws(InvalidConfiguration) {
        let json: JSONValue
        let bytes = ByteOrderMark.removed(from: bytes)
        do {
            json = try JSONValue.parse(bytes, limits: limits)
        } catch {
            throw InvalidConfiguration(error, in: bytes, within: limits)
        }
        try self.init(json, onCores: cores)
    }

    /// The file without what is needed no longer once resources and routes have been made of it.
    ///
    /// Enough to compare a later file with it.
    package var withoutDeclarations: ConfigurationFile {
        var file = self
        file.authorizationServers = []
        file.resources = []
        file.publicRoutes = []
        file.document = JSONObject()
        return file
    }

    package init(_ json: JSONValue, onCores cores: Int = 1) throws(InvalidConfiguration) {
        let findings = FindingCollector()
        document = json.object ?? document
        if let reader = ObjectReader(json, at: .root, findings) {
            read(reader, onCores: cores)
            CrossChecks(findings: findings).check(&self, onCores: cores)
        }
        if findings.hasErrors { throw InvalidConfiguration(findings: findings.findings) }
        warnings = findings.findings
    }

    private mutating func read(_ reader: ObjectReader, onCores cores: Int) {
        if let object = reader.object("server") { server = ServerSettings(object) }
        admin = reader.object("admin").map(AdminSettings.init)
        store = reader.object("store").flatMap(StoreSettings.init)
        authorizationServers =
            (reader.objects("authorization_servers") ?? []).compactMap(AuthorizationServerSettings.init)
        if let object = reader.object("self_check") { selfCheck = SelfCheckSettings(object) }
        let resourceCount = reader.object["resources"]?.array?.count ?? 0
        if resourceCount > Self.maxResourceCount {
            reader.error(
                "resources",
                "must be at most \(Self.maxResourceCount), the maximum number of resources; here are "
                    + "\(resourceCount)")
            _ = reader.value("resources")
        } else {
            readResources(reader, onCores: cores)
        }
        if reader.object["resources"] == nil {
            reader.error("resources", "missing; must be the list of protected resources")
        } else if reader.object["resources"]?.array?.isEmpty == true {
            reader.error("resources", "must not be empty; list at least one protected resource")
        }
        publicRoutes =
            (reader.objects("public_routes") ?? []).compactMap { RouteSettings($0, isPublic: true) }
        forwardAuth = reader.object("forward_auth").flatMap(ForwardAuthSettings.init)
        reader.finish()
    }

    private mutating func readResources(_ reader: ObjectReader, onCores cores: Int) {
        let path = reader.path["resources"]
        let parts = DividedWork.map(reader.elements("resources") ?? [], among: cores) { part in
            let findings = FindingCollector()
            var settings: [ResourceSettings] = []
            settings.reserveCapacity(part.count)
            for index in part.indices {
                let object = ObjectReader(part[index], at: path[index], findings)
                if let read = object.flatMap(ResourceSettings.init) { settings.append(read) }
            }
            return (settings: settings, findings: findings.findings)
        }
        resources.reserveCapacity(parts.reduce(0) { $0 + $1.settings.count })
        for part in parts {
            resources += part.settings
            reader.findings.add(part.findings)
        }
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

    init(_ error: JSONError, in bytes: [UInt8], within limits: JSONLimits) {
        let problem = JSONProblem(error, in: bytes)
        let phrase =
            Self.exceeded(error.reason, limits) ?? Self.repeated(error, in: bytes) ?? problem.phrase
        self.init("must be JSON: \(phrase), at line \(problem.line), column \(problem.column)")
    }

    /// Names a key that an object has twice; `nil` for other problems.
    private static func repeated(_ error: JSONError, in bytes: [UInt8]) -> String? {
        guard error.reason == .duplicateName, error.offset < bytes.count else { return nil }
        // The parser notices it at the key's opening quote.
        let name = String(decoding: bytes[(error.offset + 1)...].prefix { $0 != 0x22 }, as: UTF8.self)
        return "the key \"\(JSONPath.escape(name))\" given more than once in its object"
    }

    /// The limit that a document exceeds, or `nil` for other problems.
    private static func exceeded(_ reason: JSONError.Reason, _ limits: JSONLimits) -> String? {
        switch reason {
        case .tooLong: "longer than \(limits.maximumByteCount) bytes, the maximum length of the file"
        case .tooDeep: "nested deeper than \(limits.maximumDepth), the maximum nesting of the file"
        case .tooManyMembers:
            "more than \(limits.maximumMemberCount) members and elements, the maximum number in the file"
        default: nil
        }
    }
}

extension InvalidConfiguration: CustomStringConvertible {
    /// The findings, one a line.
    package var description: String { findings.map(\.description).joined(separator: "\n") }
}
