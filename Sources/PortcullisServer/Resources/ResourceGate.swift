// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport
internal import Synchronization

/// A gate, with the properties that the routes after it need.
protocol GateMiddleware: Middleware {
    /// The value of `Link` in guarded responses, or `nil`.
    var link: String? { get }
    /// What happens to a streamed response when its token expires.
    var streamExpiry: StreamExpiry { get }

    /// Begins the decision on a request, as far as possible without waiting.
    func begin(_ request: inout Request) -> GateProgress
    /// Goes on with a decision whose need was supplied.
    func advance(_ decision: BegunAdmission, _ request: inout Request) -> GateProgress
    /// Goes on with a decision by waiting.
    func respond(
        to request: Request, continuing decision: BegunAdmission, next: Middleware.Next
    ) async throws -> Response
}

/// A decision that could not be made at once, in an object of its own.
///
/// The others are made where they are begun, and are never moved.
// SAFETY: has one owner at a time, which fulfils its need and then goes on with it, on the loop or in a task.
final class BegunAdmission: @unchecked Sendable {
    fileprivate var admission: Admission
    var resource: ProtectedResource { admission.resource }

    init(_ admission: consuming Admission) {
        self.admission = admission
    }

    func supply(_ answer: AdmissionAnswer) {
        admission.supply(answer)
    }
}

/// How far a gate has come with a request.
enum GateProgress {
    case proceed
    case respond(Response)
    /// To be supplied before ``GateMiddleware/advance(_:_:)`` goes on.
    case needs(AdmissionNeed, BegunAdmission)
    /// Only ``Middleware/respond(to:next:)`` can tell: the answer has to be completed on its way back.
    case wait
}

/// The gate of a resource as a middleware: passes only requests with a token that the resource accepts.
///
/// ``Routes/protect(_:_:)`` uses it and does more: it serves the metadata, covers paths without a route, and
/// passes the token to the handlers. This middleware alone guards only the routes that it surrounds.
///
/// Refusals carry their own fields. A response after the gate gets `Cache-Control: no-store` unless it sets
/// its own, and the fields that the token's scheme requires, such as a fresh nonce.
///
/// RFC 6750 §3, RFC 9449 §8.2, RFC 9728 §5.
public struct ResourceGate: GateMiddleware {
    /// Shared by all copies: the routes of a resource with the same requirement have one.
    private final class Shared: Sendable {
        let gate: UnsharedGate
        /// The answer to requests without credentials, made for the first of them.
        private let prepared = AtomicLazyReference<Prepared>()

        private final class Prepared: Sendable {
            /// With the finding for the log, and without.
            let described: Response?
            let plain: Response?

            init(_ answer: Response?) {
                described = answer
                var plain = answer
                plain?.refusalFinding = nil
                self.plain = plain
            }
        }

        init(_ gate: UnsharedGate) {
            self.gate = gate
        }

        /// The response to a request without credentials, if it is the same each time; otherwise `nil`.
        func unauthenticated(isDescribed: Bool) -> Response? {
            let prepared = prepared.load() ?? prepare()
            return isDescribed ? prepared.described : prepared.plain
        }

        private func prepare() -> Prepared {
            let refusal = gate.resource.refusalWithoutCredentials(requiring: gate.requirement)
            return prepared.storeIfNil(Prepared(refusal.map { Response($0) }))
        }
    }

    private let shared: Shared

    package var resource: ProtectedResource { shared.gate.resource }
    package var requirement: AccessRequirement { shared.gate.requirement }
    var streamExpiry: StreamExpiry { shared.gate.streamExpiry }
    /// The value of `Link` in guarded responses, or `nil`.
    var link: String? { shared.gate.link }

    /// Makes a gate.
    ///
    /// - Parameters:
    ///   - resource: The guarded resource.
    ///   - requirement: What a token must carry. `AccessRequirement.anyValidToken` still demands a valid
    ///     token; with `AccessRequirement.validTokenOrNone` requests without credentials pass too.
    ///   - streamExpiry: What becomes of a streamed answer when its token expires. Default
    ///     ``StreamExpiry/cut``.
    public init(
        _ resource: ProtectedResource, requiring requirement: AccessRequirement = .anyValidToken,
        streamExpiry: StreamExpiry = .cut
    ) {
        shared = Shared(
            UnsharedGate(resource, requiring: requirement, streamExpiry: streamExpiry))
    }

    func begin(_ request: inout Request) -> GateProgress {
        if let answer = preparedAnswer(to: request.head, request) { return .respond(answer) }
        return shared.gate.begin(&request)
    }

    private func preparedAnswer(to head: borrowing RequestHead, _ request: borrowing Request) -> Response? {
        guard !head.hasCredentials,
            var answer = shared.unauthenticated(isDescribed: request.describesRefusals)
        else { return nil }
        if case .field = request.certificateSource { return nil }
        if resource.requiresNonces { answer.fields["DPoP-Nonce"] = resource.nonce }
        return answer
    }

    func advance(_ decision: BegunAdmission, _ request: inout Request) -> GateProgress {
        shared.gate.advance(decision, &request)
    }

    /// Answers with the refusal, or passes the request on.
    ///
    /// May wait for keys or introspection, for a replay store, for a share of the loop's time, and for the
    /// content if that may contain the token.
    public func respond(to request: Request, next: Next) async throws -> Response {
        try await respond(to: request, continuing: BegunAdmission(Admission(to: resource)), next: next)
    }

    func respond(
        to request: Request, continuing decision: BegunAdmission, next: Next
    ) async throws -> Response {
        try await shared.gate.respond(to: request, continuing: decision, next: next)
    }
}

/// The gate of a resource as a value, which costs no allocation for a single request.
struct UnsharedGate: Sendable {
    /// The most bytes of a form that may contain a token; a larger form gets 413 if the server's own limit
    /// allows it.
    static let maximumFormByteCount = 1_048_576

    let resource: ProtectedResource
    let requirement: AccessRequirement
    let streamExpiry: StreamExpiry
    let link: String?

    init(
        _ resource: ProtectedResource, requiring requirement: AccessRequirement, streamExpiry: StreamExpiry
    ) {
        self.resource = resource
        self.requirement = requirement
        self.streamExpiry = streamExpiry
        link = resource.metadataLink
    }

    func begin(_ request: inout Request) -> GateProgress {
        let head = request.head
        let context = Self.context(of: request)
        guard !resource.completesAnswer(to: head, in: context) else { return .wait }
        var admission = Admission(to: resource)
        switch admission.advance(head, requiring: requirement, in: context) {
        case .admitted(let token):
            request.token = token
            return .proceed
        case .refused(let refusal): return .respond(Self.response(to: request, refusal))
        case .needs(let need): return .needs(need, BegunAdmission(admission))
        }
    }

    func advance(_ decision: BegunAdmission, _ request: inout Request) -> GateProgress {
        let context = Self.context(of: request)
        switch decision.admission.advance(request.head, requiring: requirement, in: context) {
        case .admitted(let token):
            request.token = token
            return .proceed
        case .refused(let refusal): return .respond(Self.response(to: request, refusal))
        case .needs(let need): return .needs(need, decision)
        }
    }

    func respond(
        to request: Request, continuing decision: BegunAdmission, next: Middleware.Next
    ) async throws -> Response {
        var request = request
        let context = Self.context(of: request)
        deciding: while true {
            switch decision.admission.advance(request.head, requiring: requirement, in: context) {
            case .admitted(let token):
                request.token = token
                break deciding
            case .refused(let refusal): return Self.response(to: request, refusal)
            case .needs(let need):
                let answer = try await need.answer {
                    // RFC 6750 §2.2: the handler gets the form as received.
                    let form = try await request.body.collect(upTo: Self.maximumFormByteCount)
                    request.body = .bytes(form)
                    return form
                } awaitTime: {
                    await EventLoop.current?.awaitShare()
                }
                decision.supply(answer)
            }
        }
        let head = request.head
        do {
            var response = try await next(request)
            resource.complete(&response.fields, status: response.status, answering: head, in: context)
            return response
        } catch let passing as PassingError {
            throw passing.passed { [resource] in
                resource.complete(&$0.fields, status: $0.status, answering: head, in: context)
            }
        }
    }

    private static func response(to request: borrowing Request, _ refusal: Refusal) -> Response {
        var response = Response(refusal)
        if refusal.reason == .missingClientCertificate {
            response.ignoredCertificate = IgnoredCertificate(
                request.head, source: request.certificateSource,
                isFromTrustedProxy: request.isFromTrustedProxy, peer: request.peer.host)
        }
        return response
    }

    private static func context(of request: borrowing Request) -> AuthorizationContext {
        AuthorizationContext(
            clientCertificate: request.certificateSource, describesRefusals: request.describesRefusals)
    }
}
