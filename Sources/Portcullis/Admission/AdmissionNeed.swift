// SPDX-License-Identifier: MIT

import PortcullisJOSE
package import PortcullisTransport

/// What an admission lacks and cannot know itself.
///
/// The driver fulfils the need and hands the answer to ``Admission/supply(_:)``. A decision of the app, or a further document to
/// fetch, is one more case here and one more answer.
package enum AdmissionNeed: Sendable {
    /// The content of the request, a form that may hold the token. RFC 6750 §2.2.
    case form
    /// Time for a signature check: some tens of microseconds.
    case signatureTime
    /// Keys of the issuer that are not at hand.
    case keys(KeyQuestion)
    /// What a cache that resources share knows of the token.
    indirect case sharedAnswer(SharedAnswers)
    /// What the issuer says of the token. RFC 7662 §2.
    case introspection(IntrospectionQuestion)
    /// An answer has to be left in the cache that resources share.
    indirect case sharing(
        SharedAnswers, IntrospectionClient.Answer, askedAt: MonotonicInstant, ticket: UInt64)
    /// Whether a proof was used before, from a store that has to be asked. RFC 9449 §11.1.
    indirect case replayVerdict(ReplayQuestion)
}

/// What fulfils a need.
package enum AdmissionAnswer: Sendable {
    /// The form, or `nil` where there is none.
    case form([UInt8]?)
    case signatureTime
    case keys(KeyQuestion.Outcome)
    case sharedAnswer(SharedAnswers.Reading)
    case introspection(IntrospectionClient.Reply)
    case shared
    case replayVerdict(ReplayVerdict)
}

extension AdmissionNeed {
    /// Fulfils the need by waiting.
    ///
    /// - Parameters:
    ///   - form: The content of the request, as far as the host program knows it.
    ///   - awaitTime: Waits for time for a signature check.
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
        }
    }
}
