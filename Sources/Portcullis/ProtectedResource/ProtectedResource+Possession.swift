// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResource {
    /// The time until a proof's `iat`, in whole seconds, can't predate the replay memory; less than a second.
    ///
    /// RFC 9449 §11.1.
    package var timeUntilNewProofs: Duration {
        gate.dpop?.timeUntilNewProofs(at: gate.validator.time.now()) ?? .zero
    }

    /// Whether this resource requires nonces in proofs.
    @inline(__always)
    package var requiresNonces: Bool { gate.dpop?.hasNonces == true }

    /// The nonce for the next proof, or `nil` if this resource does not require nonces.
    package var nonce: String? { gate.dpop?.nonce(at: gate.validator.time.now()) }

    /// Whether ``complete(_:status:answering:in:)`` may change the answer to a request, whatever its status.
    ///
    @inline(__always)
    package func completesAnswer(to head: borrowing RequestHead, in context: borrowing AuthorizationContext)
        -> Bool
    {
        variesByClientCertificate(in: context) || !gate.presentation.isFieldOnly || requiresNonces
    }

    @inline(__always)
    private func variesByClientCertificate(in context: borrowing AuthorizationContext) -> Bool {
        if case .field = context.clientCertificate { return true }
        return false
    }

    /// Whether the content of a request may contain its token and ``AuthorizationContext/form`` is needed.
    ///
    /// `false` if the metadata does not list the body method. RFC 6750 §2.2.
    public func needsForm(of head: RequestHead) -> Bool {
        gate.presentation.takesBody && head.isForm
    }

    /// Returns the fields to add to the answer to an admitted request; mostly none.
    ///
    /// A fresh `DPoP-Nonce` with `Cache-Control: no-store` if nonces are required;
    /// `Cache-Control: private, no-store` for a successful answer to a token in the query;
    /// `Vary` with the proxy's field if it forwards client certificates. Append each to the answer's own fields,
    /// and replace none. Does not wait.
    ///
    /// - Parameters:
    ///   - head: The request's head.
    ///   - status: The status of the answer.
    ///   - context: The context passed to ``authorize(_:requiring:in:)``.
    ///
    /// RFC 9449 §8.2, RFC 6750 §2.3, RFC 9440 §2.4.
    public func additionalFields(
        for head: RequestHead, status: Status, in context: AuthorizationContext = AuthorizationContext()
    ) -> Fields {
        var fields = Fields()
        complete(&fields, status: status, answering: head, in: context)
        return fields
    }

    /// Adds the fields of ``additionalFields(for:status:in:)`` to an answer, and merges the cache directives.
    package func complete(
        _ fields: inout Fields, status: Status, answering head: RequestHead,
        in context: AuthorizationContext = AuthorizationContext()
    ) {
        if let field = context.clientCertificate.field { fields.append(field.name.spelling, for: .vary) }
        if gate.presentation.usesQuery(head), status.code < 300 {
            Self.addDirective("private", to: &fields)
        }
        guard let nonce else { return }
        fields["DPoP-Nonce"] = nonce
        Self.addDirective("no-store", to: &fields)
    }

    // The handler's own directives stay: an answer that it marks private remains private.
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
