// SPDX-License-Identifier: MIT

public import PortcullisHTTP

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension Response {
    /// A value of the app's own type as JSON.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - status: The status. Default 200.
    ///   - encoder: The encoder. Default: Foundation's, with dates as ISO 8601, slashes as they are,
    ///     and members in the order of their names, so that equal values have equal bytes.
    /// - Throws: `EncodingError` if the value has no representation in JSON, such as a number that is not
    ///   finite. A handler may let it propagate: the server answers 500.
    ///
    /// RFC 8259.
    public static func json(
        _ value: some Encodable, status: Status = .ok, encoder: JSONEncoder = .forResponses
    ) throws -> Response {
        .bytes(Array(try encoder.encode(value)), contentType: "application/json", status: status)
    }
}

extension JSONEncoder {
    /// A new encoder with the settings of ``Response/json(_:status:encoder:)``.
    public static var forResponses: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return encoder
    }
}

extension JSONDecoder {
    /// A new decoder with the settings of ``Request/decode(_:upTo:decoder:)``.
    public static var forRequests: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }
}
