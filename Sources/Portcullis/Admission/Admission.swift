// SPDX-License-Identifier: MIT

package import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

// START HERE: how one request is authorized.
//
// An admission is a value that decides whether one request may use a resource. It does no I/O and never
// waits: it advances through the steps of `AdmissionStep`, in order, until the request is admitted or
// refused, or until it needs data that it does not have. Then it returns the need, and continues at the same
// step once that is supplied:
//
//     var admission = Admission(to: resource)
//     while true {
//         switch admission.advance(head, requiring: requirement, in: context) {
//         case .admitted(let token): return token
//         case .refused(let refusal): throw refusal
//         case .needs(let need): admission.supply(await need.answer(…))
//         }
//     }
//
// There are three drivers: `ProtectedResource.authorize`, which awaits; the server's event loops, which
// fulfil most needs by callbacks and start a task only for the rest; and the tests' script. None of them
// knows the order of the steps. A request with a cached token is decided within the first call.

/// The decision whether one request may use a resource: a state machine without I/O that cannot be copied.
///
/// RFC 6750 §3, RFC 9068 §4, RFC 7662 §2, RFC 9449 §7, RFC 8705 §3, RFC 9470 §3, RFC 9728 §5.1.
package struct Admission: ~Copyable, Sendable {
    /// The result of advancing an admission.
    package enum Progress: Sendable {
        /// The token, or `nil` where the requirement lets requests without credentials pass.
        case admitted(AccessToken?)
        case refused(Refusal)
        /// To be supplied with ``Admission/supply(_:)`` before the admission can continue.
        case needs(AdmissionNeed)
    }

    package let resource: ProtectedResource
    var gate: Gate { resource.gate }

    /// The next step.
    private(set) var step = AdmissionStep.origin
    var attempt = Attempt.none
    var presented: PresentedToken?
    /// The range of the request's DPoP proof in the bytes of its head.
    var proof: Range<Int>?
    var token: AccessToken?
    /// The check of a token that is not cached; `nil` for a cached one.
    var validation: Validation?
    /// The fresh introspection of a JWT; `nil` if none was needed so far.
    var confirmation: Validation?
    var form = Form.unknown
    var hasSignatureTime = false
    var replayVerdict: ReplayVerdict?
    /// Whether the token's status list has been asked for.
    var hasStatusList = false
    /// The answer of the app's decision.
    var verdict: DecisionVerdict?
    /// The outcome of each step; `nil` if it is not recorded.
    var trace: AdmissionTrace?
    /// Whether the remaining steps are judged after a refusal: nothing is cached and no proof is used up.
    var isHypothetical = false

    /// The content of the request, if it may contain the token.
    enum Form: Sendable {
        case unknown
        /// The form, or `nil` if there is none.
        case known([UInt8]?)

        var bytes: [UInt8]? { if case .known(let bytes) = self { bytes } else { nil } }
    }

    /// Begins at the first step.
    package init(to resource: ProtectedResource) {
        self.resource = resource
    }

    /// The outcome of one step.
    enum Turn {
        /// The request passes.
        case passed
        /// The step does not apply to this request.
        case irrelevant
        /// The request passes, and continues at a later step.
        case to(AdmissionStep)
        /// The request lacks something: see ``Admission/need``.
        case needs
    }

    /// What the step of the moment lacks.
    ///
    /// Here rather than in ``Turn``, which is then a number that every step hands back at no cost.
    private var need: AdmissionNeed?

    mutating func lack(_ need: AdmissionNeed) -> Turn {
        self.need = need
        return .needs
    }

    /// Takes what the step of the moment lacks.
    mutating func takeNeed() -> AdmissionNeed? { need.take() }

    /// Takes steps until the request is decided or something is needed.
    ///
    /// Must be called with the same request each time.
    package mutating func advance(
        _ head: RequestHead, requiring requirement: AccessRequirement, in context: AuthorizationContext
    ) -> Progress {
        do throws(RefusalReason) {
            while true {
                let current = step
                let following: AdmissionStep?
                switch try take(current, head, requirement, context) {
                case .passed:
                    trace?.note(current, .passed)
                    following = current.next
                case .irrelevant: following = current.next
                case .to(let later):
                    trace?.note(current, .passed)
                    following = later
                case .needs:
                    guard let need = need.take() else { throw .missingCredentials }
                    return .needs(need)
                }
                guard let following else {
                    // Only routes with conditions have further steps.
                    guard requirement.conditions != nil, let condition = current.nextCondition else { break }
                    step = condition
                    continue
                }
                step = following
            }
        } catch {
            if step == .credentials, error.isLackOfCredentials, passesWithoutToken(head, requirement) {
                return .admitted(nil)
            }
            return .refused(refuse(error, head, requirement, context))
        }
        guard let token else { return .refused(refuse(.missingCredentials, head, requirement, context)) }
        return .admitted(token)
    }

    /// Takes the answer to the last need.
    ///
    /// An answer to another need is ignored, and the need returned again.
    package mutating func supply(_ answer: AdmissionAnswer) {
        switch answer {
        case .form(let bytes): form = .known(bytes)
        case .signatureTime: hasSignatureTime = true
        case .keys(let outcome): validation?.keyOutcome = outcome
        case .sharedAnswer(let reading): validation?.sharedReading = reading
        case .introspection(let reply) where step == .freshness: confirmation?.reply = reply
        case .introspection(let reply): validation?.reply = reply
        case .shared: validation?.isShared = true
        case .replayVerdict(let verdict): replayVerdict = verdict
        case .statusList: hasStatusList = true
        case .decision(let verdict): self.verdict = verdict
        }
    }
}
