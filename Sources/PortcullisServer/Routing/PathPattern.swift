// SPDX-License-Identifier: MIT

package import Portcullis
internal import PortcullisHTTP

/// A route's path with names for what varies: `{name}` for one segment, a final `{name...}` for the rest.
package struct PathPattern: Sendable, Hashable, CustomStringConvertible {
    package enum Segment: Sendable, Hashable {
        case literal([UInt8])
        case parameter(String)
        case rest(String)
    }

    package let description: String
    package let segments: [Segment]

    /// Reads a pattern.
    ///
    /// - Throws: ``ConfigurationError`` for a pattern that does not begin with `/`, has an empty or dot segment, braces that don't
    ///   match, a name twice, or `...` before the end.
    package init(_ text: String) throws(ConfigurationError) {
        description = text
        guard text.utf8.first == 0x2F else { throw Self.error("a path pattern begins with a slash", text) }
        var segments: [Segment] = []
        let parts = text.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part.isEmpty && parts.count == 1 { break }
            segments.append(try Self.segment(String(part) ?? "", isLast: index == parts.count - 1, in: text))
        }
        let names = segments.compactMap(\.name)
        guard Set(names).count == names.count else {
            throw Self.error("a path pattern has each name once", text)
        }
        self.segments = segments
    }

    private static func segment(
        _ part: String, isLast: Bool, in text: String
    ) throws(ConfigurationError) -> Segment {
        guard part.hasPrefix("{") else {
            guard !part.contains("{"), !part.contains("}") else {
                throw error("braces enclose a whole segment of a path pattern", text)
            }
            // A final empty segment is a slash at the end, which counts.
            guard isLast || !part.isEmpty, part != ".", part != ".." else {
                throw error("a path pattern has no empty and no dot segments", text)
            }
            guard part.utf8.allSatisfy({ CharacterClass.isTargetCharacter($0) && $0 != 0x3F }) else {
                throw error("a path pattern is percent-encoded, as in a URL", text)
            }
            return .literal(try normalized(part, in: text))
        }
        guard part.hasSuffix("}") else { throw error("a brace in a path pattern is not closed", text) }
        var name = part.dropFirst().dropLast()
        let isRest = name.hasSuffix("...")
        if isRest { name = name.dropLast(3) }
        guard !name.isEmpty, !name.contains("{"), !name.contains("}"), !name.contains(".") else {
            throw error("a parameter of a path pattern needs a name", text)
        }
        guard isLast || !isRest else { throw error("{name...} stands at the end of a path pattern", text) }
        return isRest ? .rest(String(name)) : .parameter(String(name))
    }

    private static func normalized(_ part: String, in text: String) throws(ConfigurationError) -> [UInt8] {
        do throws(MalformedMessage) {
            let path = try RequestPath("/" + part)
            return Array(path.bytes[path.range].dropFirst())
        } catch {
            throw Self.error("no request reaches this segment of a path pattern", text)
        }
    }

    private static func error(_ sentence: String, _ text: String) -> ConfigurationError {
        ConfigurationError("\(sentence): \(text)")
    }
}

extension PathPattern.Segment {
    package var name: String? {
        switch self {
        case .literal: nil
        case .parameter(let name), .rest(let name): name
        }
    }
}
