// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResource {
    /// How long it takes until a proof in whole seconds is not from before the memory of proofs began; less than a second.
    ///
    /// RFC 9449 §11.1.
    package var timeUntilNewProofs: Duration {
        gate.dpop?.timeUntilNewProofs(at: gate.validator.time.now()) ?? .zero
    }

    /// The nonce to hand out now, where this resource asks for nonces.
    var nonce: String? { gate.dpop?.nonce(at: gate.validator.time.now()) }

    /// Whether ``complete(_:status:answering:in:)`` has anything to do for a request, whatever the status of its answer.
    @inline(__always)
    package func completesAnswer(to head: borrowing RequestHead, in context: borrowing AuthorizationContext)
        -> Bool
    {
        if variesByClientCertificate(in: context) || !gate.presentation.isFieldOnly { return true }
        guard gate.dpop?.hasNonces == true, case .dpop? = scheme(of: head) else { return false }
        return true
    }

    @inline(__always)
    private func variesByClientCertificate(in context: borrowing AuthorizationContext) -> Bool {
        if case .trustedField = context.clientCertificate { return true }
        return false
    }

    /// Whether the content of a request is a form that may hold its token, so that ``AuthorizationContext/form`` is needed.
    ///
    /// Never where the metadata does not name the body as a place for tokens. RFC 6750 §2.2.
    public func needsForm(of head: RequestHead) -> Bool {
        gate.presentation.takesBody && head.isForm
    }

    /// The fields to add to the answer of a request that was admitted; none for most.
    ///
    /// A fresh `DPoP-Nonce` where nonces are demanded, with `Cache-Control: no-store`; `Cache-Control: private, no-store` for a
    /// successful answer to a token in the query; and `Vary: Client-Cert` behind a proxy that vouches for certificates. Append
    /// each to the answer's own fields, and replace none. Does not wait.
    ///
    /// - Parameters:
    ///   - head: The request's head.
    ///   - status: The status of the answer.
    ///   - context: What ``authorize(_:requiring:in:)`` was given.
    ///
    /// RFC 9449 §8.2, RFC 6750 §2.3, RFC 9440 §2.4.
    public func additionalFields(
        for head: RequestHead, status: Status, in context: AuthorizationContext = AuthorizationContext()
    ) -> Fields {
        var fields = Fields()
        complete(&fields, status: status, answering: head, in: context)
        return fields
    }

    /// Adds to the fields of an answer what ``additionalFields(for:status:in:)`` says, and merges the directives for caches.
    package func complete(
        _ fields: inout Fields, status: Status, answering head: RequestHead,
        in context: AuthorizationContext = AuthorizationContext()
    ) {
        if variesByClientCertificate(in: context) { fields.append("Client-Cert", for: .vary) }
        if gate.presentation.usesQuery(head), status.code < 300 {
            Self.addDirective("private", to: &fields)
        }
        guard case .dpop? = scheme(of: head), let nonce else { return }
        fields["DPoP-Nonce"] = nonce
        Self.addDirective("no-store", to: &fields)
    }

    private func scheme(of head: borrowing RequestHead) -> Challenge.Scheme? {
        if case .dpop = Credentials(of: head) { .dpop } else { nil }
    }

    // What the handler has said stays: an answer that it keeps private is not made less so.
    private static func addDirective(_ directive: String, to fields: inout Fields) {
        guard let value = fields[.cacheControl] else {
            fields[.cacheControl] = directive == "no-store" ? directive : "\(directive), no-store"
            return
        }
        let names = value.split(separator: ",").map { $0.drop { $0 == " " } }
        guard !names.contains(where: { ASCII.equalIgnoringCase(String($0), directive) }) else { return }
        fields[.cacheControl] = "\(directive), \(value)"
    }
}
