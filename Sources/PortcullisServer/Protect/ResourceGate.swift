// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisHTTP

/// The gate of a resource as a middleware: only requests with a token that the resource accepts pass.
///
/// ``Routes/protect(_:_:)`` is built on it and does more: it serves the metadata, covers paths without a route, and hands the token to
/// the handlers. This alone guards what it is put around.
///
/// Refusals carry their own fields. An answer from behind the gate gets `Cache-Control: no-store` unless it says something of its own.
///
/// RFC 6750 §3, RFC 9728 §5.
public struct ResourceGate: ImmediateMiddleware {
    let resource: ProtectedResource
    private let requirement: ScopeRequirement
    let streamExpiry: StreamExpiry
    /// The value of `Link` in guarded answers, or nothing.
    let link: String?

    /// Makes a gate.
    ///
    /// - Parameters:
    ///   - resource: What is guarded.
    ///   - requirement: The scopes that a token needs. ``ScopeRequirement/none`` still demands a valid token.
    ///   - streamExpiry: What becomes of a streamed answer when its token expires. Default ``StreamExpiry/cut``.
    public init(
        _ resource: ProtectedResource, requiring requirement: ScopeRequirement = .none,
        streamExpiry: StreamExpiry = .cut
    ) {
        self.resource = resource
        self.requirement = requirement
        self.streamExpiry = streamExpiry
        link = resource.metadataLink
    }

    package func decide(on request: inout Request) -> ImmediateVerdict {
        switch resource.authorizeImmediately(request.head, requiring: requirement) {
        case .authorized(let token):
            request.token = token
            return .proceed
        case .refused(let refusal):
            return .respond(Response(refusal))
        case .mustWait:
            return .wait
        }
    }

    /// Answers with the refusal, or passes the request on.
    ///
    /// May wait for keys or introspection.
    public func respond(to request: Request, next: Next) async throws -> Response {
        let token: AccessToken
        do throws(Refusal) {
            token = try await resource.authorize(request.head, requiring: requirement)
        } catch {
            return Response(error)
        }
        var request = request
        request.token = token
        return try await next(request)
    }
}
