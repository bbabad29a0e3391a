// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisHTTP
import PortcullisJOSE
package import PortcullisServer

/// One entry of `routes` or `public_routes`.
package struct RouteSettings: Sendable, Hashable {
    /// The `respond` value: how the route answers.
    package enum Answer: Sendable, Hashable {
        /// A JSON object with everything that the gate knows about the caller.
        case principal
        /// The request's body, streamed.
        case echo
        /// A fixed text.
        case text(String)
        /// This many lines, each in its own chunk.
        case stream(lineCount: Int)
        /// This many server-sent events, 100 ms apart.
        case events(count: Int)
        /// `slept`, after a wait that blocks no thread.
        case sleep(Duration)
        /// `blocked`, after blocking a thread.
        case block(Duration)
        /// Another server's responses.
        case proxy(ProxySettings)
    }

    /// The whole path on the host, with `{name}` for a segment and a final `{name...}` for the rest.
    package var pattern: String
    package var methods: [Method] = [.get]
    /// The token needs all of them.
    package var scopes: [String] = []
    /// The token's `acr` must be one of them; empty: any.
    package var acrValues: [String] = []
    /// `nil`: the user may have authenticated at any time.
    package var maxAge: Duration?
    /// The token needs all of them.
    package var authorizationDetails: [AuthorizationDetail] = []
    /// Whether tokens that are not sender-constrained are refused.
    package var isSenderConstrained = false
    /// Whether the token is introspected for each request.
    package var isFreshlyIntrospected = false
    /// What it says about operations and claims.
    var conditions = ConditionSettings()
    /// Whether a request needs a token; `nil`: what the resource says.
    package var authentication: AuthenticationWord?
    /// The CORS policy of a public route; `nil`: that of the resource above it, if any.
    package var cors: CORSPolicy?
    package var answer: Answer
    /// Its JSONPath.
    package var path: String

    /// Whether the route demands more of a token than that it is valid.
    package var demandsMoreThanToken: Bool {
        !scopes.isEmpty || !acrValues.isEmpty || maxAge != nil || !authorizationDetails.isEmpty
            || isSenderConstrained || isFreshlyIntrospected || conditions != ConditionSettings()
    }

    /// Whether requests without credentials pass.
    package func isTokenOptional(in resource: ResourceSettings) -> Bool {
        (authentication ?? resource.authentication) == .optional && !demandsMoreThanToken
    }

    /// Whether its last segment matches the rest of any path.
    package var isCatchAll: Bool { pattern.hasSuffix("...}") }
}

enum PlainAnswer: String, CaseIterable {
    case principal, echo
}

extension RouteSettings {
    init?(_ reader: ObjectReader, isPublic: Bool) {
        path = reader.path.text
        let pattern = reader.requiredString("path", "the whole path on the host, such as \"/photos/{id}\"")
        let problem = pattern.flatMap(Self.malformation)
        if let problem { reader.error("path", problem.sentence) }
        let methods = Self.readMethods(reader)
        if !isPublic {
            scopes = Self.readScopes(reader)
            acrValues = Self.readACRValues(reader)
            maxAge = reader.seconds("max_age_seconds", in: 0...315_360_000)
            authorizationDetails = Self.readDetails(reader)
            isSenderConstrained = reader.bool("sender_constrained") ?? false
            isFreshlyIntrospected = reader.bool("fresh_introspection") ?? false
            conditions = ConditionSettings(reader)
            authentication = reader.word("authentication", AuthenticationWord.self)
        }
        if isPublic { cors = reader.object("cors").flatMap(CORSPolicy.init) }
        let answer = Self.readAnswer(reader, isPublic: isPublic)
        reader.finish()
        guard let pattern, problem == nil, let answer else { return nil }
        self.pattern = pattern
        self.answer = answer
        if let methods {
            self.methods = methods
        } else if case .proxy = answer {
            self.methods = [.everyMethod]
        }
    }

    private static func malformation(of pattern: String) -> PathPattern.Malformation? {
        do throws(PathPattern.Malformation) {
            _ = try PathPattern(pattern)
            return nil
        } catch {
            return error
        }
    }

    private static func readMethods(_ reader: ObjectReader) -> [Method]? {
        guard let names = reader.strings("methods", of: "methods") else { return nil }
        if names.isEmpty { reader.error("methods", "must not be empty; leave it out for GET") }
        for (index, name) in names.enumerated() {
            let path = reader.path["methods"][index]
            if Method(name) == nil {
                reader.findings.error(path, "must be a method's name, such as \"GET\"")
            } else if name != name.uppercased() {
                reader.findings.error(
                    path, "must be in capitals; methods are case-sensitive; found \"\(name)\"")
            } else if name == "CONNECT" || name == "TRACE" {
                reader.findings.error(path, "is never served; leave it out")
            }
        }
        return names.compactMap { Method($0) }
    }

    static func readScopes(_ reader: ObjectReader) -> [String] {
        let scopes = reader.strings("scopes", of: "scopes") ?? []
        for (index, scope) in scopes.enumerated() where !isScopeToken(scope) {
            reader.findings.error(reader.path["scopes"][index], notAScope)
        }
        return scopes
    }

    private static func readACRValues(_ reader: ObjectReader) -> [String] {
        let values = reader.strings("acr_values", of: "acr values") ?? []
        for (index, value) in values.enumerated() where !AccessRequirement.isACRValue(value) {
            reader.findings.error(
                reader.path["acr_values"][index],
                "must be printable ASCII without space, quote, backslash and comma")
        }
        return values
    }

    private static func readDetails(_ reader: ObjectReader) -> [AuthorizationDetail] {
        guard let objects = reader.objects("authorization_details") else { return [] }
        return objects.compactMap { object in
            if let detail = AuthorizationDetail(.object(object.object)) { return detail }
            reader.findings.error(
                object.path, "must have a type, and the common members as RFC 9396 section 2.2 defines them")
            return nil
        }
    }

    private static let answers =
        "\"principal\", \"echo\", {\"text\": …}, {\"stream\": N}, {\"events\": N}, "
        + "{\"sleep_seconds\": S}, {\"block_seconds\": S} or {\"proxy\": URL}"

    private static func readAnswer(_ reader: ObjectReader, isPublic: Bool) -> Answer? {
        guard let value = reader.value("respond") else {
            reader.error("respond", "missing; must be \(answers)")
            return nil
        }
        switch value {
        case .string(let text):
            switch PlainAnswer(exactly: text) {
            case .principal where isPublic:
                reader.error(
                    "respond", "must not be \"principal\": a public route has no token to describe")
                return nil
            case .principal: return .principal
            case .echo: return .echo
            case nil: break
            }
        case .object(let object) where object.members.count == 1:
            return reader.object("respond").flatMap(readAnswer)
        default: break
        }
        reader.error("respond", "must be \(answers)")
        return nil
    }

    private static func readAnswer(_ reader: ObjectReader) -> Answer? {
        let seconds = 0.0...3_600.0
        defer { reader.finish() }
        if case .string(let text) = reader.value("text") { return .text(text) }
        if reader.object["text"] != nil { reader.error("text", "must be a string") }
        if reader.value("proxy") != nil { return ProxySettings(reader).map(Answer.proxy) }
        if let count = reader.integer("stream", in: 0...1_000_000) { return .stream(lineCount: count) }
        if let count = reader.integer("events", in: 0...1_000_000) { return .events(count: count) }
        if let duration = reader.seconds("sleep_seconds", in: seconds) { return .sleep(duration) }
        if let duration = reader.seconds("block_seconds", in: seconds) { return .block(duration) }
        return nil
    }
}
