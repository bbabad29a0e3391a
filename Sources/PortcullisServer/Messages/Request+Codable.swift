// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
public import PortcullisJOSE

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension Request {
    /// The most bytes of JSON that ``decode(_:upTo:decoder:)`` reads by default: 1 MiB.
    public static let maximumJSONByteCount = 1_048_576

    /// Decodes the content as a value of the app's own type.
    ///
    ///     let note = try await request.decode(Note.self)
    ///
    /// The content is strict JSON: UTF-8 without a byte order mark, each member of an object once. Waits for
    /// the client, within the server's body deadlines. A handler may let the errors propagate: the server
    /// answers each with its status, and with a sentence that names the member and no value.
    ///
    /// - Parameters:
    ///   - type: The type.
    ///   - limit: The most bytes to read. Default ``maximumJSONByteCount``, or the server's limit if that is
    ///     less.
    ///   - decoder: The decoder. Default: Foundation's, with dates as ISO 8601.
    /// - Throws: ``RequestContentError``; `MalformedMessage` for more bytes (413) or malformed framing (400);
    ///   ``RequestBodyError``.
    ///
    /// RFC 8259, RFC 9110 §15.5.1, §15.5.14, §15.5.16, §15.5.21.
    public func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, upTo limit: Int = Request.maximumJSONByteCount,
        decoder: JSONDecoder = .forRequests
    ) async throws -> Value {
        let (bytes, _) = try await readJSON(upTo: limit)
        do {
            return try decoder.decode(Value.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw RequestContentError.unprocessable(Self.sentence(about: error))
        }
    }

    /// Reads the content as a JSON value, for apps that look at it member by member.
    ///
    /// The content is strict JSON, and errors are answered, as for ``decode(_:upTo:decoder:)``.
    ///
    /// - Parameter limit: The most bytes to read. Default ``maximumJSONByteCount``, or the server's limit if
    ///   that is less.
    /// - Throws: ``RequestContentError``; `MalformedMessage` for more bytes (413) or malformed framing (400);
    ///   ``RequestBodyError``.
    ///
    /// RFC 8259, RFC 9110 §15.5.1, §15.5.14, §15.5.16.
    public func json(upTo limit: Int = Request.maximumJSONByteCount) async throws -> JSONValue {
        try await readJSON(upTo: limit).value
    }

    private func readJSON(upTo limit: Int) async throws -> (bytes: [UInt8], value: JSONValue) {
        guard hasJSONContentType else { throw RequestContentError.unsupportedMediaType }
        let bytes = try await body.collect(upTo: limit)
        do throws(JSONError) {
            return (bytes, try JSONValue.parse(bytes, limits: .content(of: bytes.count)))
        } catch {
            throw RequestContentError.malformed("\(JSONProblem(error, in: bytes))")
        }
    }

    /// Whether there is one `Content-Type`, and it is that of JSON.
    ///
    /// RFC 6839 §3.1.
    private var hasJSONContentType: Bool {
        let values = fields.values(of: .contentType)
        guard values.count == 1, let type = values[0].split(separator: ";").first else { return false }
        let name = type.trimmingPrefix(while: { $0 == " " || $0 == "\t" }).lowercased()
            .split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard name.count == 1 else { return false }
        return name[0] == "application/json"
            || name[0].hasPrefix("application/") && name[0].hasSuffix("+json")
    }

    private static func sentence(about error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(place(context.codingPath)) must not be null"
        case .typeMismatch(_, let context): "\(place(context.codingPath)) has the wrong type"
        case .dataCorrupted(let context): "\(place(context.codingPath)) has a value that is not allowed"
        @unknown default: "the content is not what is expected here"
        }
    }

    /// A member by its JSON pointer, which only has characters of the app's own names if they are plain.
    ///
    /// RFC 6901.
    private static func place(_ path: [any CodingKey]) -> String {
        guard !path.isEmpty else { return "the content" }
        let pointer = path.map { key in
            "/" + (key.intValue.map(String.init) ?? key.stringValue.escapedForPointer)
        }
        let text = pointer.joined()
        guard text.utf8.count <= 200, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return "a member"
        }
        return "the member \(text)"
    }
}

extension JSONLimits {
    /// The limits of content, which has no more members than bytes.
    fileprivate static func content(of byteCount: Int) -> JSONLimits {
        JSONLimits(maximumByteCount: byteCount, maximumDepth: 64, maximumMemberCount: byteCount)
    }
}

extension String {
    fileprivate var escapedForPointer: String {
        reduce(into: "") { $0 += $1 == "~" ? "~0" : $1 == "/" ? "~1" : String($1) }
    }
}
