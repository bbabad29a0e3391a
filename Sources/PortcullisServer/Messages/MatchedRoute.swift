// SPDX-License-Identifier: MIT

public import PortcullisHTTP

/// The declared route that a request was matched to, for logs and metrics.
///
/// Its texts come from the program, not from the client, so a metric by ``pattern`` has few series.
public struct MatchedRoute: Sendable {
    private let description: any RouteDescription

    /// `nil` if nothing of the app answers: a document of the server, 404 or 405.
    init?(_ description: (any RouteDescription)?) {
        guard let description, description.isDeclared else { return nil }
        self.description = description
    }

    /// The whole pattern of the path, such as `/notes/{id}`, including the prefixes of groups and the path of
    /// the resource.
    public var pattern: String { description.name }
    /// The methods that the route was declared with, in that order.
    ///
    /// A route for `GET` answers `HEAD` too. A proxy's route for every method has the usual ones.
    public var methods: [Method] { description.methods }
    /// The identifier of the resource that the route belongs to; `nil` for a public route.
    public var resource: String? { description.resource }
}

/// What a request knows of its route.
package protocol RouteDescription: AnyObject, Sendable {
    /// The pattern, or a fixed word.
    var name: String { get }
    var methods: [Method] { get }
    var resource: String? { get }
    /// Whether it is a route of the app.
    var isDeclared: Bool { get }
    /// When the server begins to stop.
    var stopping: ServerStopping { get }
}
