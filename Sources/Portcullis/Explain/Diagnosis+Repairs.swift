// SPDX-License-Identifier: MIT

import PortcullisJOSE

// For each reason: the settings that repair it, or why none is sound.

extension Diagnosis {
    func repair(of reason: RefusalReason, knowing others: [String]) -> Repair {
        switch reason {
        case .malformedJWT: malformedJWT
        case .unsupportedTokenFormat: format
        case .unsupportedTokenType: isJWT ? type : .unsound(reason.remedy)
        case .unsupportedAlgorithm: algorithm
        case .tokenTooLong: length
        case .unknownIssuer: issuer(knowing: others)
        case .keysUnavailable: keys
        case .malformedClaims: malformedClaims
        case .missingClaim: missingClaims
        case .audienceMismatch: audienceRepair
        case .expired, .notYetValid, .issuedInTheFuture: .unsound(timeObjection(reason))
        case .insufficientScope: scopes
        case .introspectionUnavailable: introspectionAnswer
        case .missingCredentials, .unsupportedScheme, .emptyCredentials, .repeatedCredentials,
            .severalMethods,
            .malformedToken, .unknownKey, .ambiguousKey, .invalidSignature, .unprovenPossession,
            .boundTokenAsBearer, .unboundToken, .strayProof, .missingProof, .repeatedProof, .malformedProof,
            .unsupportedProofAlgorithm, .proofMethodMismatch, .proofTargetMismatch, .proofOutsideWindow,
            .proofTokenMismatch, .invalidProofSignature, .proofKeyMismatch, .missingNonce, .staleNonce,
            .replayedProof, .replayStoreFull, .replayStoreUnavailable, .missingClientCertificate,
            .clientCertificateMismatch, .malformedClientCertificate, .idToken, .claimValueMismatch,
            .inactiveToken, .authenticationTooWeak,
            .authenticationTooOld, .forbiddenOrigin, .insufficientAuthorizationDetails, .ambiguousOperation,
            .malformedOperation, .unversionedOperation, .missingOperation, .unlistedOperation,
            .claimConditionUnmet, .deniedByDecision, .decisionUnavailable, .malformedStatus, .missingStatus,
            .malformedActor, .unsupportedStatus, .forbiddenStatusList, .revokedToken, .suspendedToken,
            .unacceptedStatus,
            .statusOutOfRange, .statusListUnavailable:
            .unsound(reason.remedy)
        }
    }

    // MARK: Form and kind

    private var malformedJWT: Repair {
        switch problem {
        case .wrongPartCount, .malformedBase64URL: introspection
        case .encryptedToken:
            .unsound(
                "The token is encrypted, and this gate reads signed tokens only: have the issuer sign the tokens "
                    + "for this API without encrypting them (RFC 9068 §2.1).")
        case let problem?:
            .unsound("No setting accepts this JWT, since \(problem.phrase): the issuer has to correct it.")
        case nil: .unsound(RefusalReason.malformedJWT.remedy)
        }
    }

    private var format: Repair {
        guard isJWT else { return introspection }
        guard let issuer = rules.issuer(named: issuerName), !issuer.hasKeys else { return introspection }
        return .settings([.discoveredKeys(issuer: issuer.name)])
    }

    /// Introspection of an opaque token.
    ///
    /// RFC 7662 §2.
    private var introspection: Repair {
        if rules.issuers.contains(where: \.introspects) {
            // Someone has said that all tokens are JWTs.
            guard rules.tokens.format == .jwt else { return .unsound(RefusalReason.malformedJWT.remedy) }
            return .settings([.format(.any)])
        }
        guard rules.issuers.count == 1, let issuer = rules.issuers.first else {
            guard !rules.issuers.isEmpty else {
                return .unsound(RefusalReason.unsupportedTokenFormat.remedy)
            }
            return .unsound(
                "The token is opaque and names no issuer, and this resource trusts several: the operator gives "
                    + "introspection to the one that issued it (RFC 7662 §2).")
        }
        guard publishesIntrospection ?? !KnownServers.lacksIntrospection(issuer.name) else {
            return .unsound(
                "The token is opaque, and \(FindingWords.printable(issuer.name)) has no introspection endpoint with "
                    + "which an API could check it: use a server that issues JWTs or introspects (RFC 7662 §2)."
            )
        }
        return .settings([.introspection(issuer: issuer.name)])
    }

    private var type: Repair {
        .settings([.acceptedTypes(rules.tokens.acceptedTypes + [header?["typ"]?.string ?? ""])])
    }

    // RFC 8725 §3.1: only what this package verifies, which is asymmetric.
    private var algorithm: Repair {
        let name = header?["alg"]?.string ?? "none"
        guard let algorithm = SignatureAlgorithm(rawValue: name) else {
            return .unsound(
                "No setting accepts the algorithm \(FindingWords.printable(name)): have the issuer sign with one of "
                    + rules.tokens.algorithms.map(\.rawValue).joined(separator: ", ") + " (RFC 8725 §3.1).")
        }
        if let own = rules.issuer(named: issuerName)?.algorithms {
            return .settings([.issuerAlgorithms(own + [algorithm], issuer: issuerName)])
        }
        // With several issuers, the list of the resource would be wider for all of them.
        return rules.issuers.count > 1 && rules.issuer(named: issuerName) != nil
            ? .settings([.issuerAlgorithms([algorithm], issuer: issuerName)])
            : .settings([.algorithms(rules.tokens.algorithms + [algorithm])])
    }

    /// The largest token that fits into a request's head with its other fields, by the server's default.
    private static let maxSuggestedByteCount = 30_000

    private var length: Repair {
        guard tokenByteCount > 0, tokenByteCount <= Self.maxSuggestedByteCount else {
            return .unsound(
                "The token is longer than the head of a request may be: have the issuer make it smaller, for "
                    + "example without groups.")
        }
        return .settings([.maxTokenByteCount((tokenByteCount + 1023) / 1024 * 1024)])
    }

    // While keys can't be had, the signature is unknown; the other steps can be repaired meanwhile.
    private var keys: Repair {
        guard let issuer = rules.issuer(named: issuerName),
            let sibling = rules.issuers.first(where: {
                !CodePoints.equal($0.name, issuer.name) && KnownServers.areSiblings($0.name, issuer.name)
            })
        else { return .settings([]) }
        return .settings([.sharedKeys(issuer: issuer.name, with: sibling.name)])
    }

    // MARK: Claims

    private var malformedClaims: Repair {
        return .unsound(
            "No setting accepts a claim of a wrong type: \(claimObjection ?? "a claim is not what RFC 9068 defines"); the "
                + "issuer has to correct it (RFC 7519 §4.1).")
    }

    private var introspectionAnswer: Repair {
        guard let what = claimObjection else {
            return .unsound(RefusalReason.introspectionUnavailable.remedy)
        }
        return .unsound(
            "The introspection answer cannot be used: \(what); the server has to correct it (RFC 7662 §2.2).")
    }

    private func timeObjection(_ reason: RefusalReason) -> String {
        guard claims != nil else { return reason.remedy }
        let name = reason == .expired ? "exp" : reason == .notYetValid ? "nbf" : "iat"
        let time = FindingWords.time(claims?[name], at: rules.now)
        return reason == .expired
            ? "The token expired, \(name) \(time): the client gets a new one."
            : "The token is not valid yet, \(name) \(time): correct the clock of the issuer or of this machine."
    }

    // RFC 9068 §2.2. Another claim that names the client is better than none.
    private var missingClaims: Repair {
        guard value(["exp"]) != nil else {
            return .unsound(
                "The token has no exp, without which it would be valid for ever, and no setting accepts that: have "
                    + "the issuer limit its lifetime (RFC 9068 §2.2).")
        }
        let issuer = rules.issuer(named: issuerName)
        let pointers = issuer?.clientIDPointers ?? ["/client_id"]
        let named = Self.clientClaims.first { string($0) != nil }
        var missing = rules.tokens.requiredClaims.filter { value([$0]) == nil }
        var settings: [SuggestedSetting] = []
        if missing.contains("client_id") {
            let isMapped = named.map { pointers.contains(ClaimPointer.text([$0])) } ?? false
            if let named, !isMapped {
                settings.append(
                    .clientIDPointers(pointers + [ClaimPointer.text([named])], issuer: issuerName))
            }
            if named != nil { missing.removeAll { $0 == "client_id" } }
        }
        if !missing.isEmpty {
            settings.append(.requiredClaims(rules.tokens.requiredClaims.filter { !missing.contains($0) }))
        }
        return .settings(settings)
    }
}
