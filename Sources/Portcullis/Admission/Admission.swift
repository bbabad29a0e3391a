// SPDX-License-Identifier: MIT

package import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

// START HERE: the way of one request through the gate.
//
// An admission is a value that decides whether one request may use a resource. It does no I/O and waits for nothing: it advances through
// the steps of `AdmissionStep`, in their order, until the request is admitted or refused, or until it lacks something that it cannot know.
// Then it says what, and goes on where it was when that is supplied:
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
// There are three drivers: `ProtectedResource.authorize`, which awaits; the server's event loops, which fulfil most needs by callbacks
// and start a task only for the rest; and the tests' script. None of them knows the order. A request whose token is known is decided
// within the first call.

/// The decision whether one request may use a resource, as a value without I/O that cannot be copied.
///
/// RFC 6750 §3, RFC 9068 §4, RFC 7662 §2, RFC 9449 §7, RFC 8705 §3, RFC 9470 §3, RFC 9728 §5.1.
package struct Admission: ~Copyable, Sendable {
    /// How far a request has come.
    package enum Progress: Sendable {
        case admitted(AccessToken)
        case refused(Refusal)
        /// To be supplied before it can go on.
        case needs(AdmissionNeed)
    }

    package let resource: ProtectedResource
    var gate: Gate { resource.gate }

    /// The step that is to be taken next.
    private(set) var step = AdmissionStep.origin
    var attempt = Attempt.none
    var presented: PresentedToken?
    /// Where the one proof of the request is, in the bytes of its head.
    var proof: Range<Int>?
    var token: AccessToken?
    /// `nil` until a token that is not known has to be looked at.
    var validation: Validation?
    /// What the issuer of a JWT is asked once more; `nil` until then.
    var confirmation: Validation?
    var form = Form.unknown
    var hasSignatureTime = false
    var replayVerdict: ReplayVerdict?
    /// What each step has found, where it is recorded.
    var trace: AdmissionTrace?
    /// The request was refused, and the steps behind that are judged: nothing is remembered and no proof is used up.
    var isHypothetical = false

    /// The content of the request, as far as it matters for the token.
    enum Form: Sendable {
        case unknown
        /// The form, or `nil` where there is none.
        case known([UInt8]?)

        var bytes: [UInt8]? { if case .known(let bytes) = self { bytes } else { nil } }
    }

    /// Begins with a request of which nothing has been looked at.
    package init(to resource: ProtectedResource) {
        self.resource = resource
    }

    /// What came of one step.
    enum Turn {
        /// The request passes.
        case passed
        /// The step has nothing to do with this request.
        case irrelevant
        /// The request passes, and goes on at a later step.
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

    /// Takes the steps that can be taken now.
    ///
    /// Called with the same request each time.
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
                guard let following else { break }
                step = following
            }
        } catch {
            return .refused(refuse(error, head, requirement, context))
        }
        guard let token else { return .refused(refuse(.missingCredentials, head, requirement, context)) }
        return .admitted(token)
    }

    /// Takes what the last need asked for.
    ///
    /// An answer to another question is ignored, and asked for again.
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
        }
    }
}
