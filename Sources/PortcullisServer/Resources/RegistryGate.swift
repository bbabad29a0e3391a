// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisHTTP

/// The gate of a resource in a registry, which may be replaced while its routes stay.
///
/// For programs that put gates around routes themselves and swap their resources by `ResourceRegistry.replace(_:)`. A request that
/// has passed goes on under the declaration that it was let in by. While the registry has no such resource, everything here is 404.
/// ``ResourceDocuments`` serves the metadata.
///
/// RFC 6750 §3, RFC 9728 §5, §5.2.
public struct RegistryGate: GateMiddleware {
    private let resources: ResourceRegistry
    private let identifier: ResourceIdentifier
    private let requirement: AccessRequirement
    let streamExpiry: StreamExpiry

    /// Makes a gate.
    ///
    /// - Parameters:
    ///   - resources: The registry, in which each request finds the resource of the moment.
    ///   - identifier: Which of them is guarded.
    ///   - requirement: What a token must carry. `AccessRequirement.anyValidToken` still demands a valid token.
    ///   - streamExpiry: What becomes of a streamed answer when its token expires. Default ``StreamExpiry/cut``.
    public init(
        _ resources: ResourceRegistry, _ identifier: ResourceIdentifier,
        requiring requirement: AccessRequirement = .anyValidToken, streamExpiry: StreamExpiry = .cut
    ) {
        self.resources = resources
        self.identifier = identifier
        self.requirement = requirement
        self.streamExpiry = streamExpiry
    }

    private var current: ResourceGate? {
        resources.current[identifier].map {
            .once($0, requiring: requirement, streamExpiry: streamExpiry)
        }
    }

    /// `nil`: none holds for all requests.
    var link: String? { nil }

    func begin(_ request: inout Request) -> GateProgress {
        guard let gate = current else { return .respond(.notFound) }
        return gate.link == nil ? gate.begin(&request) : .wait
    }

    // Under the set that the request began with.
    func advance(_ decision: BegunAdmission, _ request: inout Request) -> GateProgress {
        gate(of: decision).advance(decision, &request)
    }

    private func gate(of decision: BegunAdmission) -> ResourceGate {
        .once(decision.resource, requiring: requirement, streamExpiry: streamExpiry)
    }

    /// Answers with the refusal, or passes the request on.
    ///
    /// May wait for keys or introspection, for a replay store, for a share of the loop's time, and for the content where that may hold
    /// the token.
    public func respond(to request: Request, next: Next) async throws -> Response {
        guard let gate = current else { return .notFound }
        return try await respond(
            to: request, continuing: BegunAdmission(Admission(to: gate.resource)), next: next)
    }

    func respond(
        to request: Request, continuing decision: BegunAdmission, next: Next
    ) async throws -> Response {
        let gate = gate(of: decision)
        var response = try await gate.respond(to: request, continuing: decision, next: next)
        if let link = gate.link { response.fields.append(link, for: "Link") }
        return response
    }
}

/// Serves what the resources of a registry say of themselves, at the places that are theirs, before anything else is asked.
///
/// Never asks for a token. A well-known path of no resource is 404. Has no metadata of authorization servers
/// (`MetadataPublishing.mirrorsAuthorizationServer`), which the routes of ``Routes/protect(_:_:)`` have.
///
/// RFC 9728 §3.
public struct ResourceDocuments: NonWaitingMiddleware {
    private let resources: ResourceRegistry

    /// Makes the middleware, to be put before gates.
    public init(_ resources: ResourceRegistry) {
        self.resources = resources
    }

    /// Answers with the document, or passes the request on.
    public func intercept(_ request: inout Request) -> Interception {
        resources.current.document(for: request.head).map { .respond(Response($0)) } ?? .proceed
    }
}
