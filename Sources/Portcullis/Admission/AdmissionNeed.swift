// SPDX-License-Identifier: MIT

import PortcullisJOSE
package import PortcullisTransport

/// Data that an admission needs from outside.
///
/// The driver obtains the data and passes it to ``Admission/supply(_:)``. To fetch another document, add a
/// case here and an answer.
package enum AdmissionNeed: Sendable {
    /// The content of the request, a form that may contain the token. RFC 6750 §2.2.
    case form
    /// Processor time for a signature check: some tens of microseconds.
    case signatureTime
    /// Keys of the issuer that are not loaded.
    case keys(KeyQuestion)
    /// The entry of the shared cache for the token.
    indirect case sharedAnswer(SharedAnswers)
    /// The introspection of the token by its issuer. RFC 7662 §2.
    case introspection(IntrospectionQuestion)
    /// An introspection answer to store in the shared cache.
    indirect case sharing(
        SharedAnswers, IntrospectionClient.Answer, askedAt: MonotonicInstant, ticket: UInt64)
    /// Whether a proof was used before, from a store with an asynchronous lookup. RFC 9449 §11.1.
    indirect case replayVerdict(ReplayQuestion)
    /// The status list of the token. draft-ietf-oauth-status-list §8.1.
    indirect case statusList(StatusListQuestion)
    /// The decision of the app. AuthZEN 1.0 §6.
    indirect case decision(DecisionQuestion)
}

/// The answer to a need.
package enum AdmissionAnswer: Sendable {
    /// The form, or `nil` if there is none.
    case form([UInt8]?)
    case signatureTime
    case keys(KeyQuestion.Outcome)
    case sharedAnswer(SharedAnswers.Reading)
    case introspection(IntrospectionClient.Reply)
    case shared
    case replayVerdict(ReplayVerdict)
    /// The list was loaded, or can't be loaded now.
    case statusList
    case decision(DecisionVerdict)
}

extension AdmissionNeed {
    /// Obtains the data; may suspend.
    ///
    /// - Parameters:
    ///   - form: Returns the content of the request, or `nil` if the host program does not have it.
    ///   - awaitTime: Waits until the event loop has time for a signature check.
    package func answer(
        form: () async throws -> [UInt8]?, awaitTime: () async -> Void = {}
    ) async rethrows -> AdmissionAnswer {
        switch self {
        case .form: return .form(try await form())
        case .signatureTime:
            await awaitTime()
            return .signatureTime
        case .keys(let question):
            return .keys(
                await withCheckedContinuation { waiting in question.ask { waiting.resume(returning: $0) } })
        case .sharedAnswer(let answers): return .sharedAnswer(await answers.recall())
        case .introspection(let question):
            return .introspection(
                await withCheckedContinuation { waiting in question.ask { waiting.resume(returning: $0) } })
        case .sharing(let answers, let answer, let moment, let ticket):
            await answers.remember(answer, askedAt: moment, since: ticket)
            return .shared
        case .replayVerdict(let question):
            return .replayVerdict(await question.store.insert(question.record))
        case .statusList(let question):
            await withCheckedContinuation { waiting in question.ask { waiting.resume() } }
            return .statusList
        case .decision(let question): return .decision(await question.answer())
        }
    }
}
