// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

/// A fetcher that takes tokens out of the responses, so that no report can contain one that a server repeats.
struct RedactingFetcher: Fetcher {
    private static let replacement = "<token>"
    /// Shorter parts of a token are no secret, and might be words.
    private static let minimumPartLength = 16

    private let fetcher: any Fetcher
    private let secrets: [[UInt8]]

    /// Creates a fetcher.
    ///
    /// - Parameter tokens: The tokens; those of each request are hidden too.
    init(_ fetcher: any Fetcher, hiding tokens: [String]) {
        self.fetcher = fetcher
        secrets = Self.secrets(of: tokens)
    }

    /// The tokens and their parts between dots, both also percent-encoded.
    private static func secrets(of tokens: [String]) -> [[UInt8]] {
        let parts = tokens.flatMap { token in
            token.split(separator: ".").map(String.init).filter { $0.utf8.count >= minimumPartLength }
        }
        let all = Set(tokens + parts).flatMap { [$0, percentEncoded($0)] }
        // The longest first: a part must not break up the whole.
        return Set(all).map { Array($0.utf8) }.sorted { $0.count > $1.count }
    }

    func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        let response = try await fetcher.fetch(request)
        let sent = request.fields.values(of: .authorization).compactMap { value in
            value.split(separator: " ").last.map(String.init)
        }
        let all = Self.secrets(of: sent) + secrets
        var fields = Fields()
        for field in response.fields { fields.append(Self.hide(all, in: field.value), for: field.name) }
        let body = Self.hide(all, in: response.body)
        return FetchResponse(status: response.status, fields: fields, body: body)
    }

    private static func hide(_ secrets: [[UInt8]], in text: String) -> String {
        let bytes = Array(text.utf8)
        let hidden = hide(secrets, in: bytes)
        return hidden == bytes ? text : String(decoding: hidden, as: UTF8.self)
    }

    private static func hide(_ secrets: [[UInt8]], in bytes: [UInt8]) -> [UInt8] {
        secrets.reduce(bytes) { replace($1, in: $0) }
    }

    private static func replace(_ secret: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= secret.count, let first = secret.first else { return bytes }
        var output: [UInt8] = []
        var start = 0
        var index = 0
        while index + secret.count <= bytes.count {
            if bytes[index] == first, bytes[index..<index + secret.count].elementsEqual(secret) {
                output += bytes[start..<index]
                output += replacement.utf8
                index += secret.count
                start = index
            } else {
                index += 1
            }
        }
        return start == 0 ? bytes : output + bytes[start...]
    }

    private static func percentEncoded(_ text: String) -> String {
        var output = ""
        for byte in text.utf8 {
            switch byte {
            case 0x2B: output += "%2B"
            case 0x2F: output += "%2F"
            case 0x3D: output += "%3D"
            default: output.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return output
    }
}
