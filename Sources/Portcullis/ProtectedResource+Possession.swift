// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE

// 3. Possess: whether the sender of a token is the one that it was issued to.

extension ProtectedResource {
    // RFC 9449 §4.3, 1: a request in the scheme DPoP has one proof, and that is seen before anything is looked up.
    func locateProof(_ presented: PresentedToken, of head: borrowing RequestHead) throws(RefusalReason)
        -> Range<Int>?
    {
        guard presented.scheme == .dpop, let dpop = gate.dpop else { return nil }
        return try dpop.locate(in: head)
    }

    /// Whether the token may come in this scheme, and the client has the certificate that it is bound to.
    ///
    /// What a token is bound to is its own affair: it is enforced whatever the resource says about itself.
    ///
    /// RFC 9449 §7.1, §7.2, RFC 8705 §3, RFC 7800 §3.1.
    @inline(__always)
    func checkBinding(
        of token: AccessToken, _ presented: PresentedToken, _ head: borrowing RequestHead,
        _ context: borrowing GateContext
    ) throws(RefusalReason) {
        let confirmation = token.storage.confirmation
        switch presented.scheme {
        case .bearer:
            guard confirmation.keyThumbprint == nil else { throw .boundTokenAsBearer }
            guard !gate.presentation.requiresDPoP else { throw .unboundToken }
            if gate.refusesStrayProofs, head.find(.dpop) != nil { throw .strayProof }
        case .dpop:
            guard confirmation.keyThumbprint != nil else { throw .unboundToken }
        }
        guard let expected = confirmation.certificateThumbprint else { return }
        guard let actual = try context.clientCertificate.thumbprint(in: head) else {
            throw .missingClientCertificate
        }
        guard actual == expected else { throw .clientCertificateMismatch }
    }

    // RFC 9449 §4.3, §7.1.
    func prove(
        _ proof: Range<Int>, of head: RequestHead, _ token: AccessToken, _ presented: PresentedToken
    ) async throws(RefusalReason) {
        guard let dpop = gate.dpop, let thumbprint = token.storage.confirmation.keyThumbprint else {
            throw .unboundToken
        }
        try await dpop.check(
            proof, of: head, tokenDigest: presented.digest, boundTo: thumbprint,
            at: gate.validator.time.now())
    }

    /// Does not wait: for checkers that say that they don't.
    func proveAtOnce(
        _ proof: Range<Int>, of head: RequestHead, _ token: AccessToken, _ presented: PresentedToken
    ) throws(RefusalReason) {
        guard let dpop = gate.dpop, let thumbprint = token.storage.confirmation.keyThumbprint else {
            throw .unboundToken
        }
        try dpop.checkAtOnce(
            proof, of: head, tokenDigest: presented.digest, boundTo: thumbprint,
            at: gate.validator.time.now())
    }

    /// How long it takes until a proof in whole seconds is not from before the memory of proofs began; less than a second.
    ///
    /// RFC 9449 §11.1.
    package var timeUntilNewProofs: Duration {
        gate.dpop?.timeUntilNewProofs(at: gate.validator.time.now()) ?? .zero
    }

    /// The nonce to hand out now, where this resource asks for nonces.
    var nonce: String? { gate.dpop?.nonce(at: gate.validator.time.now()) }

    /// Whether ``complete(_:status:answering:in:)`` has anything to do for bearer tokens in the `Authorization` field.
    @inline(__always)
    func completesAnswers(in context: borrowing GateContext) -> Bool {
        if case .trustedField = context.clientCertificate { return true }
        return false
    }

    /// Whether the content of a request is a form that may hold its token, so that ``GateContext/form`` is needed.
    ///
    /// Never where the metadata does not name the body as a place for tokens. RFC 6750 §2.2.
    public func needsForm(of head: RequestHead) -> Bool {
        gate.presentation.takesBody && head.isForm
    }

    /// Adds to the answer of a request that was let in what the way it came demands of it.
    ///
    /// That is a fresh `DPoP-Nonce` where nonces are asked for, `Cache-Control: private` for a token in the query, and
    /// `Vary: Client-Cert` behind a proxy that vouches for certificates. An answer with a nonce is not to be cached.
    ///
    /// RFC 9449 §8.2, RFC 6750 §2.3, RFC 9440 §2.4.
    public func complete(
        _ fields: inout Fields, status: Status, answering head: RequestHead,
        in context: GateContext = GateContext()
    ) {
        if completesAnswers(in: context) { fields.append("Client-Cert", for: .vary) }
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
