// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension ClaimsChecker {
    /// Returns the claims of another type than the checks read; for a log, after a check has refused them.
    ///
    /// RFC 7519 §4.1, RFC 7662 §2.2.
    func faults(in claims: JSONObject, isIntrospected: Bool, rules: ClaimRules?) -> [ClaimFault] {
        var faults: [ClaimFault] = []
        func check(_ names: [String], _ expected: String, _ isFine: (JSONValue) -> Bool) {
            for name in names {
                guard let value = claims[name], !value.isNull, !isFine(value) else { continue }
                faults.append(ClaimFault(name: name, expected: expected, found: value.typePhrase))
            }
        }
        check(["aud"], "a string or an array of strings") { $0.string != nil || $0.strings != nil }
        check(["exp", "nbf", "iat"], "a number") { $0.number.flatMap { NumericDate($0) } != nil }
        check(isIntrospected ? ["iss", "sub", "jti", "token_type"] : ["iss", "sub", "jti"], "a string") {
            $0.string != nil
        }
        return faults + mappedFaults(in: claims, isIntrospected: isIntrospected, rules)
    }

    private func mappedFaults(
        in claims: JSONObject, isIntrospected: Bool, _ rules: ClaimRules?
    ) -> [ClaimFault] {
        var faults: [ClaimFault] = []
        if let (name, value) = clientIDSource(of: claims, rules),
            (try? clientID(in: value)) == nil
        {
            faults.append(
                ClaimFault(
                    name: name, expected: "a string or an array of one string", found: value.typePhrase,
                    isMapped: true))
        }
        if let (name, value) = scopeSource(of: claims, isIntrospected: isIntrospected, rules),
            (try? scopes(in: value, isMapped: rules?.scopes != nil)) == nil
        {
            let isText = value.string != nil || value.strings != nil
            faults.append(
                ClaimFault(
                    name: name, expected: "a string or an array of strings",
                    found: isText ? "a text with characters that scopes do not have" : value.typePhrase,
                    isMapped: true))
        }
        return faults
    }
}
