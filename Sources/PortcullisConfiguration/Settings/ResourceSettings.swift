// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisJOSE
package import PortcullisServer

/// One entry of `resources`, with defaults for omitted keys.
package struct ResourceSettings: Sendable {
    package var metadata: ProtectedResourceMetadata
    /// The warnings about the metadata.
    var metadataWarnings: [String]
    /// The trusted issuers.
    package var issuers: [ListedIssuer]
    package var metadataMaxAge: Duration = .seconds(300)
    package var isRootAlias = false
    package var publishing = PublishingSettings()
    package var profile = ResourceProfile.general
    package var tokens = TokenSettings()
    package var challengeParameters: [(name: String, value: String)] = []
    package var challengeScope = ChallengeScope.route
    /// Whether requests to the routes that demand nothing need a token.
    package var authentication = AuthenticationWord.required
    /// `nil`: no CORS; web pages of other origins cannot read responses.
    package var cors: CORSPolicy?
    package var routes: [RouteSettings] = []
    /// Its JSONPath.
    package var path: String
}

extension ResourceSettings {
    init?(_ reader: ObjectReader) {
        path = reader.path.text
        guard let metadata = reader.object("metadata") else {
            if reader.object["metadata"] == nil {
                reader.error("metadata", "missing; must be the resource's metadata, RFC 9728 section 2")
            }
            return nil
        }
        let checked = ProtectedResourceMetadata.read(metadata)
        issuers = Self.readIssuers(reader, metadata)
        metadataMaxAge = reader.seconds("metadata_max_age_seconds", in: 0...31_536_000) ?? metadataMaxAge
        isRootAlias = reader.bool("root_alias") ?? isRootAlias
        publishing = PublishingSettings(reader)
        profile = Self.readProfile(reader)
        if let object = reader.object("tokens") { tokens = TokenSettings(object) }
        cors = reader.object("cors").flatMap(CORSPolicy.init)
        challengeParameters = Self.readChallengeParameters(reader)
        challengeScope = reader.word("challenge_scope", ChallengeScope.self) ?? challengeScope
        authentication = reader.word("authentication", AuthenticationWord.self) ?? authentication
        routes = (reader.objects("routes") ?? []).compactMap { RouteSettings($0, isPublic: false) }
        reader.finish()
        guard let checked else { return nil }
        (self.metadata, metadataWarnings) = checked
    }

    private enum ProfileName: String, CaseIterable {
        case general, mcp
    }

    /// Reads the profile; an MCP server accepts the origins that `cors` lists, so `*` is an error.
    private static func readProfile(_ reader: ObjectReader) -> ResourceProfile {
        guard reader.word("profile", ProfileName.self) == .mcp else { return .general }
        let origins = reader.object["cors"]?.object?["allowed_origins"]?.array?.compactMap(\.string) ?? []
        if origins.contains("*") {
            reader.findings.error(
                reader.path["cors"]["allowed_origins"],
                "must list each origin, since an MCP server accepts only listed origins")
        }
        return .mcp(allowedOrigins: origins.filter { $0 != "*" })
    }

    /// Reads the trusted issuers: those that the metadata lists, and `trusted_issuers` beside them.
    private static func readIssuers(
        _ reader: ObjectReader, _ metadata: ObjectReader
    ) -> [ListedIssuer] {
        let trusted = ListedIssuer.list(
            reader.strings("trusted_issuers", of: "issuers") ?? [], at: reader.path["trusted_issuers"])
        guard let list = metadata.object["authorization_servers"] else {
            if trusted.isEmpty {
                reader.error(
                    "trusted_issuers",
                    "missing; must list issuers, since the metadata has no authorization_servers")
            }
            return trusted
        }
        // Elements that are not strings have been reported with the rest of the metadata.
        let listed = ListedIssuer.list(
            (list.array ?? []).map(\.string), at: metadata.path["authorization_servers"])
        for pattern in listed where pattern.isPattern {
            reader.findings.error(
                pattern.place,
                "must be an issuer; a pattern is for trusted_issuers, and clients need "
                    + "the URL of one authorization server")
        }
        guard !trusted.isEmpty else { return listed }
        let names = Set(listed.map { ExactText($0.issuer) })
        let others = trusted.filter { other in
            guard names.contains(ExactText(other.issuer)) else { return true }
            reader.findings.warning(
                other.place, "is in metadata.authorization_servers too; leave it out here")
            return false
        }
        return listed + others
    }

    private static func readChallengeParameters(_ reader: ObjectReader) -> [(name: String, value: String)] {
        guard let object = reader.object("challenge_parameters") else { return [] }
        let parameters = object.object.names.compactMap { name in
            object.string(name).map { (name: name, value: $0) }
        }
        var problems: [ConfigurationError.Problem] = []
        _ = ChallengeParameters(parameters, at: object.path.text, problems: &problems)
        if !problems.isEmpty { reader.findings.add(ConfigurationError(problems), at: object.path) }
        return parameters
    }
}
