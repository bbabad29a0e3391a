// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

// The implementation of each step. A step throws the reason for a refusal.

extension Admission {
    @inline(__always)
    mutating func take(
        _ step: AdmissionStep, _ head: RequestHead, _ requirement: AccessRequirement,
        _ context: AuthorizationContext
    ) throws(RefusalReason) -> Turn {
        switch step {
        case .origin: try checkOrigin(head)
        case .certificateField: try checkCertificateField(head, context)
        case .credentials: try readCredentials(head)
        case .length: try checkLength()
        case .proofField: try locateProof(head)
        case .memory: try recall(requirement)
        case .characters, .format, .header, .type, .algorithm, .payload, .issuer, .key, .signature,
            .introspection, .kind, .claimValues, .audience, .times, .claims:
            try validate(step, head, requirement)
        case .possession: try checkBinding(head, context)
        case .freshness: requirement.needsFreshIntrospection ? try confirm(head) : .irrelevant
        case .proof: proof == nil ? .irrelevant : try prove(head)
        case .status: token?.storage.status == nil ? .irrelevant : try checkStatus()
        case .senderConstraint, .authentication, .scopes, .details: try permit(step, requirement)
        case .operation, .operationScopes, .claimConditions, .decision:
            try checkCondition(step, head, requirement)
        }
    }

    // MARK: The request

    // MCP transports 2025-11-25, "Security Warning". RFC 6454 §7.
    private func checkOrigin(_ head: RequestHead) throws(RefusalReason) -> Turn {
        guard let check = gate.originCheck else { return .irrelevant }
        try check.judge(head)
        return .passed
    }

    // RFC 9440 §2.2: the field of a trusted proxy must be well formed, whether a token needs it or not.
    private func checkCertificateField(_ head: RequestHead, _ context: AuthorizationContext)
        throws(RefusalReason)
        -> Turn
    {
        guard let field = context.clientCertificate.field else { return .irrelevant }
        _ = try field.certificate(in: head)
        return .passed
    }

    // RFC 6750 §2, RFC 9449 §7.1.
    private mutating func readCredentials(_ head: RequestHead) throws(RefusalReason) -> Turn {
        if gate.presentation.takesBody, case .unknown = form, head.isForm { return lack(.form) }
        let form = gate.presentation.isFieldOnly ? nil : form.bytes
        presented = try gate.presentation.read(head, form: form, &attempt)
        return .passed
    }

    private func checkLength() throws(RefusalReason) -> Turn {
        guard presented?.byteCount ?? 0 <= gate.maxTokenByteCount else { throw .tokenTooLong }
        return .passed
    }

    // RFC 9449 §4.3, 1: a request with the scheme DPoP has exactly one proof; this is checked before any
    // look-up.
    private mutating func locateProof(_ head: RequestHead) throws(RefusalReason) -> Turn {
        guard attempt == .with(.dpop), let dpop = gate.dpop else { return .irrelevant }
        proof = try dpop.locate(in: head)
        return .passed
    }

    // MARK: The cached token

    private mutating func recall(_ requirement: AccessRequirement) throws(RefusalReason) -> Turn {
        guard let digest = presented?.digest else { throw .missingCredentials }
        let (now, uptime) = (gate.validator.time.now(), gate.validator.time.uptime())
        switch gate.verified.look(digest, at: now, uptime: uptime) {
        case .usable(let known):
            // What its issuer has said of an opaque token before is not what it says now.
            if requirement.needsFreshIntrospection, known.format != .jwt { return .irrelevant }
            token = known
            trace?.noteRemembered()
            return .to(.possession)
        case .outdated: gate.verified.remove(digest)
        case .unknown:
            if let known = gate.rejected[digest], uptime < known.until { throw known.reason }
        }
        return .irrelevant
    }

    // MARK: The client

    // A token's binding is enforced whatever the resource's metadata says.
    // RFC 9449 §7.1, §7.2, RFC 8705 §3, RFC 7800 §3.1.
    @inline(__always)
    private func checkBinding(_ head: RequestHead, _ context: AuthorizationContext) throws(RefusalReason)
        -> Turn
    {
        guard let confirmation = token?.storage.confirmation else { throw .missingCredentials }
        if attempt == .with(.dpop) {
            guard confirmation.keyThumbprint != nil else { throw .unboundToken }
        } else {
            guard confirmation.keyThumbprint == nil else { throw .boundTokenAsBearer }
            guard !gate.presentation.requiresDPoP else { throw .unboundToken }
            if gate.refusesStrayProofs, head.find(.dpop) != nil { throw .strayProof }
        }
        guard let expected = confirmation.certificateThumbprint else { return .passed }
        guard let actual = try context.clientCertificate.thumbprint(in: head) else {
            throw .missingClientCertificate
        }
        guard actual == expected else { throw .clientCertificateMismatch }
        return .passed
    }

    // RFC 9449 §4.3, §7.1.
    private mutating func prove(_ head: RequestHead) throws(RefusalReason) -> Turn {
        guard let proof else { return .irrelevant }
        guard let dpop = gate.dpop, let presented,
            let thumbprint = token?.storage.confirmation.keyThumbprint
        else { throw .unboundToken }
        if let replayVerdict {
            try DPoPChecker.judge(replayVerdict)
            return .passed
        }
        guard hasSignatureTime else { return lack(.signatureTime) }
        let record = try dpop.check(
            proof, of: head, tokenDigest: presented.digest, boundTo: thumbprint,
            at: gate.validator.time.now())
        if isHypothetical { return .passed }
        // A proof is recorded last, after all its other checks have passed.
        guard let verdict = dpop.insertAtHand(record) else {
            return lack(.replayVerdict(dpop.question(record)))
        }
        try DPoPChecker.judge(verdict)
        return .passed
    }

    // MARK: The requirement of the route

    @inline(__always)
    private func permit(
        _ step: AdmissionStep, _ requirement: AccessRequirement
    ) throws(RefusalReason) -> Turn {
        guard let storage = token?.storage else { throw .missingCredentials }
        return try gate.rules.judge(step, storage, requirement) ? .passed : .irrelevant
    }
}
