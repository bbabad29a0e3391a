// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// The common part of all requests to one URL with the same fields, checked and serialized once.
///
/// RFC 9112 §3, §5.
package struct PreparedRequest: Sendable {
    /// The fields that the client sets itself, or that would change the connection or its protocol.
    private static let reservedFields: Set<FieldName> = [
        .host, .contentLength, .connection, .transferEncoding, .trailer, .expect, .keepAlive, "TE", "Upgrade",
        "Proxy-Connection", "Proxy-Authorization",
    ]

    let origin: Origin
    let method: Method
    /// The head up to its last field, without the empty line.
    private let head: [UInt8]

    /// Checks URL, method and fields.
    ///
    /// - Parameters:
    ///   - userAgent: Sent unless the fields have one.
    ///   - proxies: A proxy for http is sent the absolute form and its credentials. RFC 9112 §3.2.2.
    /// - Throws: `invalidURL`, `invalidMethod`, `reservedField`.
    package init(
        _ method: Method, _ url: String, fields: Fields, userAgent: String? = nil,
        through proxies: OutboundProxies = .none
    ) throws(HTTPClientError) {
        let url = try RequestURL(url)
        guard method != .connect else { throw .invalidMethod }
        for field in fields where Self.reservedFields.contains(field.name) { throw .reservedField }
        var fields = fields
        if let userAgent, fields["User-Agent"] == nil { fields.append(userAgent, for: "User-Agent") }
        let proxy = url.origin.isEncrypted ? nil : proxies.proxy(for: url.origin)
        if let authorization = proxy?.authorization {
            fields.append(authorization, for: "Proxy-Authorization")
        }
        var head: [UInt8] = []
        head.reserveCapacity(512)
        do throws(MalformedMessage) {
            try HeadSerializer.appendRequestWithoutEnd(
                method: method, target: url.target, host: url.authority, fields: fields,
                isAbsolute: proxy != nil, to: &head)
        } catch {
            throw error == .invalidMethod ? .invalidMethod : .invalidURL
        }
        origin = url.origin
        self.method = method
        self.head = head
    }

    /// Head and body as sent.
    package func message(with body: [UInt8]) -> [UInt8] {
        message(withBodyOf: body.count) { $0 += body }
    }

    /// Head and body as sent; a closure appends the body of known length.
    package func message(
        withBodyOf byteCount: Int, _ appendBody: (inout [UInt8]) -> Void
    ) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(head.count + 32 + byteCount)
        message += head
        HeadSerializer.appendEnd(method: method, bodyByteCount: byteCount, to: &message)
        appendBody(&message)
        return message
    }
}

extension PreparedRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The method: the fields may hold credentials.
    package var description: String { "PreparedRequest(\(method.name))" }
    /// The method.
    package var debugDescription: String { description }
    /// A mirror without children: the fields may hold credentials.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
