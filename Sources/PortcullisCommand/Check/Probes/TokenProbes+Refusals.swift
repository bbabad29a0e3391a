// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

extension TokenProbes {
    // MARK: Changed tokens

    /// The tokens that are made here, which no verifier may accept.
    func changedTokens(_ changed: ChangedTokens?, _ good: Good) async -> [Finding] {
        guard let changed else {
            return await refusals(
                "token.signature", ChangedTokens.opaque(tokens.token), good, needsError: true)
        }
        var findings = await refusals("token.signature", changed.tampered, good, needsError: true)
        findings += await refusals("token.unsigned", changed.unsigned, good)
        findings += await refusals("token.symmetric", changed.symmetric(keys), good)
        findings += await refusals("token.own-key", changed.ownKey, good)
        findings += await awkward(changed.awkward, good)
        return findings
    }

    /// The user's other tokens.
    func givenTokens(_ good: Good) async -> [Finding] {
        var findings: [Finding] = []
        if let foreign = tokens.foreign {
            findings += await refusals("token.audience", [("a token for another audience", foreign)], good)
        }
        if let expired = tokens.expired {
            findings += await refusals(
                "token.expired", [("an expired token", expired)], good, needsError: true)
        }
        if let identity = tokens.identity {
            findings += await refusals("token.identity", [("an ID token", identity)], good)
        }
        if let narrow = tokens.narrow { findings.append(await narrowToken(narrow, good)) }
        return findings
    }

    /// Sends tokens that must be refused with 401, and returns one finding: the worst.
    private func refusals(
        _ code: String, _ variants: [ChangedTokens.Variant], _ good: Good, needsError: Bool = false
    ) async -> [Finding] {
        guard !variants.isEmpty else { return [] }
        var accepted: [String] = []
        var doubtful: [String] = []
        var evidence: Exchange?
        for (change, token) in variants {
            let result = await bearer(good.form, token)
            let fault = fault(in: result, good, needsError: needsError)
            guard let fault else { continue }
            if fault == .accepted {
                if accepted.isEmpty { evidence = exchange(good.form, result) }
                accepted.append(change)
            } else {
                if evidence == nil { evidence = exchange(good.form, result) }
                doubtful.append("\(change): \(fault.text)")
            }
        }
        if !accepted.isEmpty {
            let text = "The resource accepts: \(accepted.joined(separator: "; "))."
            return [Finding(.fail, code, text, exchange: evidence)]
        }
        if !doubtful.isEmpty {
            let text = "The resource refuses in an unexpected way: \(doubtful.joined(separator: "; "))."
            return [Finding(.warn, code, text, exchange: evidence)]
        }
        return [Finding(.pass, code, CheckRule.named(code).title)]
    }

    private enum Fault: Equatable {
        case accepted
        case other(String)

        var text: String {
            if case .other(let text) = self { text } else { "accepted" }
        }
    }

    private func fault(
        in result: Result<FetchResponse, FetchError>, _ good: Good, needsError: Bool
    ) -> Fault? {
        guard case .success(let response) = result else { return .other("no response") }
        if isAccepted(response, good) { return .accepted }
        guard response.status == .unauthorized else { return .other("\(response.status.code) and not 401") }
        if needsError, Self.challenge(of: response).error != "invalid_token" {
            return .other("401 without error=\"invalid_token\"")
        }
        return nil
    }

    /// Any refusal will do, but no error of the server's own.
    private func awkward(_ variants: [ChangedTokens.Variant], _ good: Good) async -> [Finding] {
        var faults: [String] = []
        var evidence: Exchange?
        for (change, token) in variants {
            let result = await bearer(good.form, token)
            let fault: String?
            switch result {
            case .success(let response) where isAccepted(response, good): fault = "accepted"
            case .success(let response) where response.status.code >= 500: fault = "\(response.status.code)"
            case .success: fault = nil
            case .failure(let error): fault = "no response, \(error)"
            }
            guard let fault else { continue }
            if evidence == nil { evidence = exchange(good.form, result) }
            faults.append("\(change): \(fault)")
        }
        guard !faults.isEmpty else {
            return [Finding(.pass, "token.awkward", CheckRule.named("token.awkward").title)]
        }
        return [
            Finding(
                .warn, "token.awkward",
                "Tokens that are hard to read are not refused: \(faults.joined(separator: "; ")).",
                exchange: evidence)
        ]
    }

    /// RFC 6750 §3.1.
    private func narrowToken(_ token: String, _ good: Good) async -> Finding {
        let result = await bearer(good.form, token)
        let exchange = exchange(good.form, result)
        let code = "token.scope"
        guard case .success(let response) = result else {
            return Finding(.warn, code, "A token without the scope gets no response.", exchange: exchange)
        }
        let challenge = Self.challenge(of: response)
        switch response.status.code {
        case 403 where challenge.error == "insufficient_scope" && challenge.scope != nil:
            return Finding(.pass, code, CheckRule.named(code).title)
        case 403:
            return Finding(
                .warn, code, "The 403 to a token without the scope does not name the scope.",
                exchange: exchange)
        case 200..<300:
            return Finding(.warn, code, "A token without the scope is accepted.", exchange: exchange)
        default:
            return Finding(
                .warn, code, "A token without the scope is answered \(response.status.code) and not 403.",
                exchange: exchange)
        }
    }

    // MARK: Bound tokens

    /// A token that is bound to a key, which the checker does not have.
    ///
    /// RFC 9449 §7.1, §7.2.
    func boundToken(_ form: CallForm) async -> [Finding] {
        let client = TestDPoPClient()
        let target = String(url.prefix { $0 != "?" })
        let proof = client.proof(form.method, target, token: tokens.token)
        let calls: [(String, [(FieldName, String)])] = [
            ("as a bearer token", [(.authorization, "Bearer \(tokens.token)")]),
            ("with a proof of another key", [(.authorization, "DPoP \(tokens.token)"), (.dpop, proof)]),
        ]
        for (how, fields) in calls {
            let result = await call(form, fields)
            guard case .success(let response) = result, (200..<300).contains(response.status.code) else {
                continue
            }
            return [
                Finding(
                    .fail, "token.bound", "The resource accepts a token that is bound to a key \(how).",
                    exchange: exchange(form, result))
            ]
        }
        return [Finding(.pass, "token.bound", CheckRule.named("token.bound").title)]
    }
}
