// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// Describes what the steps of a route's conditions expect, and what a request has.
extension RequestFindings {
    /// The scopes that the request's operation needs.
    var operationScopes: [Scope] { reading.operationScopes }

    func conditionFindings(of step: AdmissionStep) -> (expected: String?, got: String?) {
        switch step {
        case .operation: (requirement.conditions?.operations?.words, reading.operation)
        case .operationScopes: (operationScopes.map(\.name).joined(separator: " "), grantedScopes)
        case .claimConditions:
            (
                conditions.map(\.words).joined(separator: ", "),
                claims.map { claims in
                    conditions.map { condition in
                        let value = condition.pointer.value(in: claims)
                        return "\(condition.pointer) \(value.map(Self.json) ?? "none")"
                    }.joined(separator: ", ")
                }
            )
        case .decision: ("a permit", failure == .decisionUnavailable ? "no answer in time" : nil)
        default: (nil, nil)
        }
    }

    private var conditions: [ClaimCondition] { requirement.conditions?.claims ?? [] }

    /// A value with its type: strings in quotes.
    static func json(_ value: JSONValue) -> String {
        FindingWords.printable(String(decoding: value.serialized(), as: UTF8.self))
    }
}

extension ClaimCondition {
    var words: String {
        switch comparison {
        case .contains(let value): "\(pointer) containing \(RequestFindings.json(value))"
        case .equals(let value): "\(pointer) \(RequestFindings.json(value))"
        }
    }
}

extension OperationRules {
    /// The operations, for people; the first ten.
    fileprivate var words: String {
        let shown = operations.prefix(10).map { operation in
            operation.criteria.map { "\($0.name) \(FindingWords.printable($0.value))" }
                .joined(separator: " and ")
        }
        let rest = operations.count > shown.count ? ["\(operations.count - shown.count) more"] : []
        return (shown + rest + (others == .route ? ["any other"] : [])).joined(separator: ", or ")
    }

    /// The fields of a request that tell its operation, for people.
    func words(of head: RequestHead) -> String {
        Self.names(of: operations).map { name in
            let values = head.fields.values(of: name)
            return "\(name) "
                + (values.isEmpty ? "none" : FindingWords.printable(values.joined(separator: " and ")))
        }.joined(separator: ", ")
    }
}
