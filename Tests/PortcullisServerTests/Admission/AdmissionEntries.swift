// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTransport

// The entries to the gate. Only this file names the functions that decide; a new core changes nothing else
// here.

/// One request, with what the host program knows about it.
struct AdmissionCall: Sendable {
    let head: RequestHead
    var content: [UInt8] = []
    var certificate = ClientCertificate.none
    var describesRefusals = true
}

/// One step of the gate in an explanation.
struct ExplainedStep: Sendable {
    let name: String
    let clause: String
    let outcome: String
    let expected: String?
    let got: String?
}

/// The result of one request through one entry.
struct EntryAnswer: Sendable {
    let token: AccessToken?
    let reason: RefusalReason?
    let finding: RefusalFinding?
    /// The status line and the field lines.
    let lines: [String]
    let body: [UInt8]
    /// What the request waited for, in order; only the event loop reports it.
    var waits: [String] = []
    /// The steps of the gate; only an explanation has them.
    var steps: [ExplainedStep] = []

    init(
        token: AccessToken?, reason: RefusalReason?, finding: RefusalFinding?, lines: [String], body: [UInt8]
    ) {
        self.token = token
        self.reason = reason
        self.finding = finding
        self.lines = lines
        self.body = body
    }

    init(_ response: Response, _ token: AccessToken?) {
        self.init(
            token: token, reason: response.refusalReason, finding: response.refusalFinding,
            lines: Self.lines(response.status, response.fields), body: response.bytes)
    }

    init(_ decision: Result<AccessToken?, Refusal>, of resource: ProtectedResource, _ call: AdmissionCall) {
        switch decision {
        case .success(let token):
            var fields = Fields()
            resource.complete(&fields, status: .ok, answering: call.head, in: call.context(of: resource))
            self.init(Response(status: .ok, fields: fields), token)
        case .failure(let refusal):
            self.init(Response(refusal), nil)
        }
    }

    /// The first value of a field.
    func field(_ name: String) -> String? {
        lines.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    private static func lines(_ status: Status, _ fields: Fields) -> [String] {
        ["HTTP/1.1 \(status.description)"] + fields.map { "\($0.name.spelling): \($0.value)" }
    }
}

extension AdmissionCall {
    fileprivate func context(of resource: ProtectedResource) -> AuthorizationContext {
        AuthorizationContext(
            clientCertificate: certificate, form: resource.needsForm(of: head) ? content : nil,
            describesRefusals: describesRefusals)
    }

    fileprivate func request() throws -> Request {
        let semantics = try RequestSemantics(head)
        return Request(
            head: head, path: try RequestPath(head, semantics), queryRange: semantics.queryRange,
            body: .bytes(content), peer: SocketAddress(IPAddress(ipv4: 0x7F00_0001), port: 1),
            certificateSource: certificate, describesRefusals: describesRefusals)
    }
}

/// The entries to the gate.
enum AdmissionEntry: String, CaseIterable, Sendable {
    /// A program that embeds the gate.
    case embedded
    /// An event loop, which starts a task only for what it cannot decide itself.
    case eventLoop
    /// The gate as a middleware.
    case middleware
    /// A route in the server's table.
    case route
    /// A server over a socket; the same as `route` where the client has a certificate, because that needs
    /// TLS.
    case server
    /// A proxy that asks a server over a socket (FWA-09); the same as `server` where the token is in a form, which
    /// the proxy keeps.
    case proxy
    /// An explanation.
    case explanation

    /// Whether the answer is a route's, and not the gate's alone.
    var isRoute: Bool { self == .route || isServer }
    var isServer: Bool { self == .server || self == .proxy }

    func ask(
        _ call: AdmissionCall, of resource: ProtectedResource, requiring requirement: AccessRequirement
    ) async throws -> EntryAnswer {
        let context = call.context(of: resource)
        switch self {
        case .embedded:
            let decision = await Self.decide(call.head, resource, requirement, context)
            return EntryAnswer(decision, of: resource, call)
        case .eventLoop:
            let (decision, waits) = await Self.decideOnLoop(call.head, resource, requirement, context)
            var answer = EntryAnswer(decision, of: resource, call)
            answer.waits = waits
            return answer
        case .middleware: return try await Self.pass(call, resource, requirement)
        case .route: return try await Self.serve(call, resource, requirement)
        case .server, .proxy:
            if case .connection = call.certificate {
                return try await Self.serve(call, resource, requirement)
            }
            return try await AdmissionServer(resource: resource, requirement: requirement)
                .ask(call, throughProxy: self == .proxy && call.content.isEmpty)
        case .explanation:
            let explanation = await resource.explain(call.head, requiring: requirement, in: context)
            var answer = EntryAnswer(explanation.decision, of: resource, call)
            answer.steps = explanation.steps.map {
                ExplainedStep(
                    name: $0.name, clause: $0.clause, outcome: $0.outcome.rawValue, expected: $0.expected,
                    got: $0.got)
            }
            return answer
        }
    }

    private static func decide(
        _ head: RequestHead, _ resource: ProtectedResource, _ requirement: AccessRequirement,
        _ context: AuthorizationContext
    ) async -> Result<AccessToken?, Refusal> {
        do throws(Refusal) {
            guard requirement.mayLackToken else {
                return .success(try await resource.authorize(head, requiring: requirement, in: context))
            }
            return .success(
                try await resource.authorizeOptionally(head, requiring: requirement, in: context))
        } catch {
            return .failure(error)
        }
    }

    private static func decideOnLoop(
        _ head: RequestHead, _ resource: ProtectedResource, _ requirement: AccessRequirement,
        _ context: AuthorizationContext
    ) async -> (Result<AccessToken?, Refusal>, waits: [String]) {
        var waits: [String] = []
        var admission = Admission(to: resource)
        while true {
            switch admission.advance(head, requiring: requirement, in: context) {
            case .admitted(let token): return (.success(token), waits)
            case .refused(let refusal): return (.failure(refusal), waits)
            case .needs(let need):
                waits.append(Self.word(for: need))
                admission.supply(await need.answer(form: { context.form }))
            }
        }
    }

    private static func word(for need: AdmissionNeed) -> String {
        switch need {
        case .form: "the form"
        case .signatureTime: "time for a signature"
        case .keys: "keys"
        case .sharedAnswer: "the shared cache"
        case .introspection: "the introspection endpoint"
        case .sharing: "leave in the shared cache"
        case .replayVerdict: "the replay store"
        case .statusList: "a status list"
        case .decision: "the app's decision"
        }
    }

    private static func pass(
        _ call: AdmissionCall, _ resource: ProtectedResource, _ requirement: AccessRequirement
    ) async throws -> EntryAnswer {
        let handler = AdmissionHandler()
        let gate = ResourceGate(resource, requiring: requirement)
        let response = try await gate.respond(to: try call.request()) { handler.respond($0.token) }
        return EntryAnswer(response, handler.token)
    }

    private static func serve(
        _ call: AdmissionCall, _ resource: ProtectedResource, _ requirement: AccessRequirement
    ) async throws -> EntryAnswer {
        let handler = AdmissionHandler()
        let table = try AskedTable { routes in
            routes.guardNotes(of: resource, requiring: requirement, handler)
        }
        let response = try await table.ask(try call.request())
        return EntryAnswer(response, handler.token)
    }
}

extension Routes {
    /// Declares the route of a case, for a token or none where the requirement lets requests pass without one.
    ///
    /// - Parameter isWatched: Whether the handler gets the token although it does not run.
    mutating func guardNotes(
        of resource: ProtectedResource, requiring requirement: AccessRequirement, _ handler: AdmissionHandler,
        isWatched: Bool = false
    ) {
        guard requirement.mayLackToken else {
            return protect(resource) { api in
                if isWatched { api.use(TokenWatch(handler: handler)) }
                api.on([.get, .post], "/", requiring: requirement) { _, token in handler.respond(token) }
            }
        }
        optionallyProtect(resource) { api in
            if isWatched { api.use(TokenWatch(handler: handler)) }
            api.on([.get, .post], "/", requiring: requirement) { _, token in handler.respond(token) }
        }
    }
}
