// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisHTTP

/// The gate of a resource in a registry, which can be replaced while its routes stay.
///
/// For programs that put gates around routes themselves and replace resources with
/// `ResourceRegistry.replace(_:)`. An admitted request continues under the declaration that admitted it.
/// While the registry has no such resource, every request here gets 404. ``ResourceDocuments`` serves the
/// metadata.
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
    ///   - resources: The registry, in which each request looks up the current resource.
    ///   - identifier: The identifier of the guarded resource.
    ///   - requirement: What a token must carry. `AccessRequirement.anyValidToken` requires a valid token.
    ///   - streamExpiry: What happens to a streamed response when its token expires. Default
    ///     ``StreamExpiry/cut``.
    public init(
        _ resources: ResourceRegistry, _ identifier: ResourceIdentifier,
        requiring requirement: AccessRequirement = .anyValidToken, streamExpiry: StreamExpiry = .cut
    ) {
        self.resources = resources
        self.identifier = identifier
        self.requirement = requirement
        self.streamExpiry = streamExpiry
    }

    private var current: UnsharedGate? {
        resources.current[identifier].map {
            UnsharedGate($0, requiring: requirement, streamExpiry: streamExpiry)
        }
    }

    /// `nil`, because no value is valid for all requests.
    var link: String? { nil }

    func begin(_ request: inout Request) -> GateProgress {
        guard let gate = current else { return .respond(.notFound) }
        return gate.link == nil ? gate.begin(&request) : .wait
    }

    // Under the set that the request began with.
    func advance(_ decision: BegunAdmission, _ request: inout Request) -> GateProgress {
        gate(of: decision).advance(decision, &request)
    }

    private func gate(of decision: BegunAdmission) -> UnsharedGate {
        UnsharedGate(decision.resource, requiring: requirement, streamExpiry: streamExpiry)
    }

    /// Answers with the refusal, or passes the request on.
    ///
    /// May wait for keys or introspection, for a replay store, for a share of the loop's time, and for the
    /// content if that may contain the token.
    public func respond(to request: Request, next: Next) async throws -> Response {
        guard let gate = current else { return .notFound }
        return try await respond(
            to: request, continuing: BegunAdmission(Admission(to: gate.resource)), next: next)
    }

    func respond(
        to request: Request, continuing decision: BegunAdmission, next: Next
    ) async throws -> Response {
        let gate = gate(of: decision)
        do {
            var response = try await gate.respond(to: request, continuing: decision, next: next)
            if let link = gate.link { response.fields.append(link, for: "Link") }
            return response
        } catch let passing as PassingError {
            throw passing.passed { response in
                if let link = gate.link { response.fields.append(link, for: "Link") }
            }
        }
    }
}

/// Serves the metadata documents of a registry's resources at their well-known paths, before other
/// middleware.
///
/// Never requires a token. A well-known path without a resource is 404. Does not serve metadata of
/// authorization servers (`MetadataPublishing.mirrorsAuthorizationServer`), which ``Routes/protect(_:_:)``
/// does.
///
/// RFC 9728 §3.
public struct ResourceDocuments: NonWaitingMiddleware {
    private let resources: ResourceRegistry

    /// Makes the middleware; add it before gates.
    public init(_ resources: ResourceRegistry) {
        self.resources = resources
    }

    /// Answers with the document, or passes the request on.
    public func intercept(_ request: inout Request) -> Interception {
        resources.current.document(for: request.head).map { .respond(Response($0)) } ?? .proceed
    }
}
