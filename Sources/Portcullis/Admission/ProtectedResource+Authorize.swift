// SPDX-License-Identifier: MIT

public import PortcullisHTTP

extension ProtectedResource {
    /// Decides whether a request may use this resource, and returns its token.
    ///
    /// Checks, in this order: the syntax of the credentials, the token, the proof of possession for a bound
    /// token, the user's authentication, the scopes, the authorization details. Does not check whose data is
    /// requested; that is the handler's decision. ``additionalFields(for:status:in:)`` returns the fields
    /// to add to the response.
    ///
    /// May wait for the issuer's keys or for introspection, each request at most ``TrustedIssuer/timeout``
    /// (default 5 seconds), for a replay store, and for the app's decision, at most
    /// ``ExternalDecision/timeout``. With a cached token, it waits only for the replay store, the decision,
    /// and with ``AccessRequirement/freshlyIntrospected()``, and checks only the signature of a DPoP proof.
    ///
    /// A request without credentials is refused whatever the requirement says:
    /// ``authorizeOptionally(_:requiring:in:)`` admits it where that is allowed.
    ///
    /// - Parameters:
    ///   - head: The request.
    ///   - requirement: What the token must allow; `.anyValidToken` still requires a valid token.
    ///   - context: What is known about the request in addition to its head.
    /// - Throws: ``Refusal``, ready to be sent: 400, 401, 403, or 503 while the authorization server can't be
    ///   reached.
    ///
    /// RFC 6750 §3, RFC 9068 §4, RFC 7662 §2, RFC 9449 §7, RFC 8705 §3, RFC 9470 §3, RFC 9728 §5.1.
    public func authorize(
        _ head: RequestHead, requiring requirement: AccessRequirement = .anyValidToken,
        in context: AuthorizationContext = AuthorizationContext()
    ) async throws(Refusal) -> AccessToken {
        var admission = Admission(to: self)
        if let token = try await admission.decide(head, requiring: requirement, in: context) { return token }
        throw admission.refuse(
            head.hasCredentials ? .unsupportedScheme : .missingCredentials, head, requirement, context)
    }

    /// Decides whether a request may use this resource, and returns its token, or `nil` for a request without
    /// credentials that passes.
    ///
    /// A request without credentials, or with a scheme that the resource does not accept, passes if the
    /// requirement is ``AccessRequirement/validTokenOrNone``, or for an operation that is declared so. Any other
    /// request is judged as by ``authorize(_:requiring:in:)``: bad credentials are refused.
    ///
    /// RFC 6750 §3, §3.1.
    public func authorizeOptionally(
        _ head: RequestHead, requiring requirement: AccessRequirement = .validTokenOrNone,
        in context: AuthorizationContext = AuthorizationContext()
    ) async throws(Refusal) -> AccessToken? {
        var admission = Admission(to: self)
        return try await admission.decide(head, requiring: requirement, in: context)
    }
}

extension Admission {
    /// Runs the admission to its decision, and awaits the data that it needs.
    ///
    /// Returns `nil` for a request that passes without a token.
    mutating func decide(
        _ head: RequestHead, requiring requirement: AccessRequirement, in context: AuthorizationContext
    ) async throws(Refusal) -> AccessToken? {
        while true {
            switch advance(head, requiring: requirement, in: context) {
            case .admitted(let token): return token
            case .refused(let refusal): throw refusal
            case .needs(let need): supply(await need.answer(form: { context.form }))
            }
        }
    }
}
