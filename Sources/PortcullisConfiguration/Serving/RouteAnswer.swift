// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTransport

/// A configured route's handler, in one of the server's three kinds.
enum RouteAnswer: Sendable {
    /// The token is `nil` on public routes.
    case immediate(@Sendable (Request, AccessToken?) -> Response)
    case suspending(@Sendable (Request) async throws -> Response)
    case blocking(@Sendable (Request) -> Response)
    /// Another server answers.
    case proxied
}

extension RouteAnswer {
    /// A handler that always returns the same text; keeps its bytes only.
    fileprivate static func fixed(_ text: String) -> RouteAnswer {
        let bytes = Array(text.utf8)
        return .immediate { _, _ in .text(bytes) }
    }
}

extension RouteSettings.Answer {
    /// The handler for a route that needs no token: `principal` then describes nobody.
    func handler(at resource: ResourceIdentifier) -> RouteAnswer {
        guard case .principal = self else { return handler }
        return .immediate { request, token in
            .json(
                .object(
                    token.map { principalObject($0, request.parameters) }
                        ?? anonymousObject(resource, request.parameters)))
        }
    }

    var handler: RouteAnswer {
        switch self {
        case .principal:
            .immediate { request, token in
                token.map { .json(.object(principalObject($0, request.parameters))) }
                    ?? Response(status: .internalServerError)
            }
        case .echo: .immediate { request, _ in Self.echo(request) }
        case .text(let text): .fixed(text)
        case .stream(let lineCount): .immediate { _, _ in Self.lines(lineCount) }
        case .events(let count): .immediate { _, _ in Self.events(count) }
        case .sleep(let duration):
            .suspending { _ in
                try await Task.sleep(for: duration)
                return .text("slept")
            }
        case .block(let duration):
            .blocking { _ in
                HeldThread.sleep(for: duration)
                return .text("blocked")
            }
        case .proxy: .proxied
        }
    }

    private static func echo(_ request: Request) -> Response {
        let body = request.body
        var response = Response(
            status: .ok,
            body: .stream { writer in
                for try await piece in body { try await writer.write(piece) }
            })
        response.fields[.contentType] = request.fields[.contentType]
        return response
    }

    /// WHATWG HTML §9.2, server-sent events.
    private static func events(_ count: Int) -> Response {
        .stream(contentType: "text/event-stream") { writer in
            for number in 0..<count {
                if number > 0 { try await Task.sleep(for: .milliseconds(100)) }
                try await writer.write("id: \(number + 1)\ndata: event \(number + 1)\n\n")
            }
        }
    }

    private static func lines(_ count: Int) -> Response {
        .stream(contentType: "text/plain; charset=utf-8") { writer in
            for number in 0..<count {
                if number > 0 { try await Task.sleep(for: .milliseconds(10)) }
                try await writer.write("line \(number + 1)\n")
            }
        }
    }
}
