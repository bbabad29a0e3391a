// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

extension RoutingTableBuilder {
    /// The route that serves a document.
    func route(to document: PublishedDocument) -> CompiledRoute {
        switch document {
        case .metadata: open("metadata") { .published(document, to: $0) }
        case .keys: open("keys") { .published(document, to: $0) }
        case .authorizationServer(let resource):
            CompiledRoute(
                name: "authorization server", open,
                handler: .suspending { await AuthorizationServerMirror.respond(to: $0, for: resource) },
                kind: .document)
        }
    }

    /// A route that needs no token.
    func open(
        _ name: String, kind: CompiledRoute.Kind = .document,
        _ respond: @escaping @Sendable (Request) -> Response
    ) -> CompiledRoute {
        CompiledRoute(name: name, open, handler: .immediate(respond), kind: kind)
    }
}
