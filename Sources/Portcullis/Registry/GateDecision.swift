// SPDX-License-Identifier: MIT

public import PortcullisHTTP

/// The decision about a request in another server.
///
/// ``GuardedRoutes/decide(method:authority:target:fields:route:in:)`` makes it.
///
/// RFC 6750 §3, RFC 9728 §3, §5.
public enum GateDecision: Sendable {
    /// The request belongs to no resource and to no guarded route: the program answers it without a token.
    case unguarded
    /// The program's handler answers, and the adapter adds ``AdmittedRequest/fields(for:cacheControl:)``.
    case admitted(AdmittedRequest)
    /// The complete answer: a document, a refusal, or the status of a malformed request.
    case answered(GateAnswer)
}

/// A complete answer, which the adapter sends as it is.
public struct GateAnswer: Sendable {
    /// The status and the fields, `Content-Length` included.
    public let head: ResponseHead
    /// The content; empty for `HEAD`, whose `Content-Length` is that of `GET`.
    ///
    /// RFC 9110 §9.3.2.
    public let body: [UInt8]
    /// Why the request was refused, for logs and metrics; `nil` for any other answer.
    public let refusal: Refusal?

    /// The status.
    public var status: Status { head.status }

    init(_ answer: (head: ResponseHead, body: [UInt8]), refusal: Refusal? = nil) {
        var head = answer.head
        // RFC 9110 §8.6: none with 304, whose content is that of another answer.
        if head.fields[.contentLength] == nil, !head.status.forbidsContent {
            head.fields[.contentLength] = String(answer.body.count)
        }
        self.head = head
        body = answer.body
        self.refusal = refusal
    }

    init(_ refusal: Refusal, to request: RequestHead, link: String?) {
        var head = refusal.head
        if let link { head.fields.append(link, for: "Link") }
        self.init(MetadataDocument.withoutBody((head, refusal.body), to: request), refusal: refusal)
    }

    /// An answer without content.
    init(_ status: Status) {
        self.init((ResponseHead(status: status), []))
    }
}

/// A request that may use its resource.
public struct AdmittedRequest: Sendable {
    /// The validated token.
    ///
    /// `nil` only if the route's requirement admits requests without credentials.
    public let token: AccessToken?
    /// The resource that admitted the request, which may be replaced meanwhile.
    public let resource: ProtectedResource
    private let head: RequestHead
    private let context: AuthorizationContext

    init(
        _ head: RequestHead, to resource: ProtectedResource, with token: AccessToken?,
        in context: AuthorizationContext
    ) {
        self.token = token
        self.resource = resource
        self.head = head
        self.context = context
    }

    /// Returns the fields to append to the handler's answer; they replace none of its own.
    ///
    /// `Cache-Control: no-store` unless the answer has `Cache-Control`, and those of
    /// ``ProtectedResource/additionalFields(for:status:in:)``, such as the next nonce. Does not wait.
    ///
    /// - Parameters:
    ///   - code: The status code of the answer.
    ///   - cacheControl: The answer's `Cache-Control`; `nil` if it has none.
    ///
    /// RFC 9449 §8.2, RFC 9111 §5.2.2.5.
    public func fields(for code: Int, cacheControl: String?) -> Fields {
        let status = Status(code) ?? .internalServerError
        var fields = resource.additionalFields(for: head, status: status, in: context)
        if cacheControl == nil, !fields.haveCacheControl { fields.appendNoStore() }
        if let link = resource.metadataLink { fields.append(link, for: "Link") }
        return fields
    }

    /// Returns the answer for a refusal that the handler threw, such as that of
    /// ``AccessToken/require(_:file:line:)``.
    ///
    /// RFC 6750 §3.1.
    public func answer(for refusal: Refusal) -> GateAnswer {
        var refusal = refusal
        if refusal.dpopNonce == nil { refusal.dpopNonce = resource.nonce }
        return GateAnswer(refusal, to: head, link: resource.metadataLink)
    }
}
