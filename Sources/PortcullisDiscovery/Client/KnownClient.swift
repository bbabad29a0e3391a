// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

/// Clients whose parsers of challenges and documents are known; most deviate from the RFCs.
///
/// According to their sources in August 2026.
package enum KnownClient: String, Sendable, Hashable, CaseIterable {
    case typeScriptSDK = "MCP TypeScript SDK"
    case pythonSDK = "MCP Python SDK"
    case goSDK = "MCP Go SDK"
    case csharpSDK = "MCP C# SDK"
    case visualStudioCode = "VS Code"
    case oauth4webapi = "oauth4webapi"
    case inspector = "MCP Inspector"
    case claude = "claude.ai"

    /// The values that the client finds in the `WWW-Authenticate` lines of a 401.
    package struct Reading: Sendable, Hashable {
        package var metadataURL: String?
        package var scope: String?
        /// Why it finds nothing, or values that differ from those of the grammar.
        package var reason: String?

        package init(metadataURL: String? = nil, scope: String? = nil, reason: String? = nil) {
            self.metadataURL = metadataURL
            self.scope = scope
            self.reason = reason
        }
    }

    /// Parses the lines like this client.
    package func reading(of lines: [String]) -> Reading {
        let text = lines.joined(separator: ", ")
        switch self {
        case .typeScriptSDK: return LooseReading.beginningWithBearer(text)
        case .pythonSDK: return LooseReading.inWholeField(text)
        case .goSDK: return LooseReading.rejectingToken68(lines)
        case .csharpSDK: return LooseReading.splittingAtCommas(lines)
        case .visualStudioCode: return LooseReading.togglingQuotes(text)
        case .inspector: return LooseReading.afterBearer(text)
        case .oauth4webapi, .claude: return LooseReading.strict(lines)
        }
    }
}

/// The clients' parsers, named after their peculiarities.
private enum LooseReading {
    typealias Reading = KnownClient.Reading

    static func strict(_ lines: [String]) -> Reading {
        guard let challenges = try? ReceivedChallenge.list(in: lines) else {
            return Reading(reason: "it rejects a field that violates the grammar")
        }
        return Reading(
            metadataURL: ReceivedChallenge.metadataURL(in: challenges),
            scope: challenges.first { $0.isScheme("Bearer") }?["scope"])
    }

    /// Requires the whole field to begin with Bearer; then searches it for `name=`.
    static func beginningWithBearer(_ text: String) -> Reading {
        let words = text.utf8.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count > 1, !words[1].isEmpty, isBearer(words[0]) else {
            return Reading(reason: "the field does not begin with Bearer, one blank and a parameter")
        }
        return inWholeField(text)
    }

    /// Searches the whole field for `name=`.
    static func inWholeField(_ text: String) -> Reading {
        Reading(
            metadataURL: firstMatch(of: "resource_metadata", in: text),
            scope: firstMatch(of: "scope", in: text))
    }

    /// Follows the grammar, but one token68 or one empty value makes the whole field invalid.
    static func rejectingToken68(_ lines: [String]) -> Reading {
        guard let challenges = try? ReceivedChallenge.list(in: lines) else {
            return Reading(reason: "it rejects a field that violates the grammar")
        }
        if challenges.contains(where: { $0.token68 != nil }) {
            return Reading(reason: "it rejects a field with a token68 challenge, such as Negotiate's")
        }
        if challenges.contains(where: { $0.parameters.contains { $0.value.isEmpty } }) {
            return Reading(reason: "it rejects a field with an empty value")
        }
        return Reading(
            metadataURL: ReceivedChallenge.metadataURL(in: challenges),
            scope: challenges.first { $0.isScheme("Bearer") }?["scope"])
    }

    /// Splits the parameters of the Bearer challenge at every comma, within quotes too.
    static func splittingAtCommas(_ lines: [String]) -> Reading {
        guard let challenges = try? ReceivedChallenge.list(in: lines) else {
            return Reading(reason: "its platform drops a field that violates the grammar")
        }
        guard let bearer = challenges.first(where: { $0.isScheme("Bearer") }) else {
            return Reading(
                reason: "it gives up on a 401 without a Bearer challenge")
        }
        var reading = Reading()
        for parameter in bearer.parameters {
            let value = parameter.value.utf8.prefix { $0 != 0x2C }
            // The cut value loses its closing quote, and keeps the opening one.
            let isCut = value.count < parameter.value.utf8.count
            let read = (isCut ? "\"" : "") + String(decoding: value, as: UTF8.self)
            if isCut { reading.reason = "it splits parameters at commas within quotes" }
            if ASCII.equalIgnoringCase(parameter.name, "resource_metadata") { reading.metadataURL = read }
            if ASCII.equalIgnoringCase(parameter.name, "scope") { reading.scope = read }
        }
        return reading
    }

    /// Splits at commas outside quotes, and takes an escaped quote for a closing one; the scheme is
    /// case-sensitive.
    static func togglingQuotes(_ text: String) -> Reading {
        var reading = Reading(reason: "it finds no challenge with the scheme spelled Bearer")
        var isBearer = false
        for part in splitOutsideQuotes(text) {
            var rest = part.drop { $0 == 0x20 }
            let word = rest.prefix { $0 != 0x20 && $0 != 0x3D }
            let remainder = rest[word.endIndex...]
            if remainder.first != 0x3D {
                isBearer = word.elementsEqual("Bearer".utf8)
                if isBearer { reading.reason = nil }
                rest = remainder.drop { $0 == 0x20 }
            }
            guard isBearer, let equals = rest.firstIndex(of: 0x3D) else { continue }
            let name = String(decoding: rest[..<equals], as: UTF8.self)
            let value = String(decoding: rest[(equals + 1)...].filter { $0 != 0x22 }, as: UTF8.self)
            if name == "resource_metadata" { reading.metadataURL = value }
            if name == "scope" { reading.scope = value }
        }
        return reading
    }

    private static func splitOutsideQuotes(_ text: String) -> [ArraySlice<UInt8>] {
        var isQuoted = false
        return Array(text.utf8).split { byte in
            if byte == 0x22 { isQuoted.toggle() }
            return byte == 0x2C && !isQuoted
        }
    }

    /// Treats everything after the first Bearer as one challenge; the last value of a name wins.
    static func afterBearer(_ text: String) -> Reading {
        let lowercased = ASCII.lowercased(text)
        guard let start = offset(of: "bearer ", in: Array(lowercased.utf8)) else {
            return Reading(reason: "it finds no Bearer in the field")
        }
        let rest = String(decoding: text.utf8.dropFirst(start + 7), as: UTF8.self)
        return Reading(
            metadataURL: matches(of: "resource_metadata", in: rest, atWordStart: true).last,
            scope: matches(of: "scope", in: rest, atWordStart: true).last)
    }

    private static func isBearer(_ word: Substring.UTF8View) -> Bool {
        ASCII.equalIgnoringCase(String(decoding: word, as: UTF8.self), "Bearer")
    }

    private static func firstMatch(of name: String, in text: String) -> String? {
        matches(of: name, in: text, atWordStart: false).first
    }

    /// Returns the matches of the pattern `name=(?:"([^"]+)"|([^\s,]+))`, in order.
    private static func matches(of name: String, in text: String, atWordStart: Bool) -> [String] {
        let bytes = Array(text.utf8)
        let needle = Array((name + "=").utf8)
        var found: [String] = []
        var start = 0
        while let match = offset(of: needle, in: bytes[start...]) {
            start = match + needle.count
            if atWordStart, match > 0, isWordCharacter(bytes[match - 1]) { continue }
            if let value = value(bytes[start...]) { found.append(String(decoding: value, as: UTF8.self)) }
        }
        return found
    }

    private static func value(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        if bytes.first == 0x22 {
            let quoted = bytes.dropFirst().prefix { $0 != 0x22 }
            if !quoted.isEmpty, quoted.endIndex < bytes.endIndex { return quoted }
        }
        let plain = bytes.prefix { $0 != 0x2C && $0 != 0x20 && $0 != 0x09 }
        return plain.isEmpty ? nil : plain
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        CharacterClass.isDigit(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F
    }

    private static func offset(of text: String, in bytes: [UInt8]) -> Int? {
        offset(of: Array(text.utf8), in: bytes[...])
    }

    private static func offset(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (bytes.startIndex...(bytes.endIndex - needle.count)).first {
            bytes[$0...].starts(with: needle)
        }
    }
}
