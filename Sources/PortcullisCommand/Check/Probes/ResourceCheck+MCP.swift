// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP

extension ResourceCheck {
    /// The messages that a server of the Model Context Protocol must refuse, and the sessions that it offers.
    ///
    /// - Parameters:
    ///   - answer: The response to `tools/list` without a token.
    ///   - credentials: A value of `Authorization` that the server accepts, or `nil`.
    func mcpProbes(_ url: String, _ answer: FetchResponse, credentials: String? = nil) async -> [Finding] {
        let good = await send(.toolsList(), to: url, credentials) ?? answer
        let session = await send(.initialize, to: url, credentials)
        var findings: [Finding] = []
        if credentials == nil { findings += openness(url, answer, session) + [await foreignOrigin(url)] }
        // The rules of the revision can be seen only where a good message has a result.
        if MCPAnswer(good) == .result { findings += await versions(url, credentials) }
        return findings + sessions(url, good, session)
    }

    private func send(
        _ call: MCPCall, to url: String, _ credentials: String?, _ fields: Fields = [:]
    ) async -> FetchResponse? {
        var all = call.fields
        if let credentials { all[.authorization] = credentials }
        for field in fields { all[field.name] = field.value }
        return try? await fetch(url, .post, all, body: call.body)
    }

    private func openness(
        _ url: String, _ answer: FetchResponse, _ session: FetchResponse?
    ) -> [Finding] {
        for (name, response) in [("tools/list", answer), ("initialize", session)] {
            guard let response, MCPAnswer(response) == .result else { continue }
            return [
                Finding(
                    .fail, "mcp.open", "A POST of \(name) without a token has a result.",
                    exchange: Exchange(.post, url, response))
            ]
        }
        return [Finding(.pass, "mcp.open", "A POST without a token has no result.")]
    }

    private func foreignOrigin(_ url: String) async -> Finding {
        let fields: Fields = [.origin: Self.origin]
        guard let response = await send(.toolsList(), to: url, nil, fields) else {
            return Finding(.note, "mcp.origin", "A POST with a foreign Origin had no response.")
        }
        if response.status == .forbidden {
            return Finding(.pass, "mcp.origin", "A POST with a foreign Origin is answered 403.")
        }
        return Finding(
            .warn, "mcp.origin",
            "A POST with a foreign Origin is answered \(response.status.code) and not 403.",
            exchange: Exchange(.post, url, with: fields, response))
    }

    private func versions(_ url: String, _ credentials: String?) async -> [Finding] {
        async let unknown = send(.toolsList(version: "1999-01-01"), to: url, credentials)
        async let different = send(.toolsList(method: "tools/call"), to: url, credentials)
        return [
            Self.judge(await unknown, url, "mcp.version", "An unknown protocol version", -32_022),
            Self.judge(
                await different, url, "mcp.mirror", "An Mcp-Method that differs from the body", -32_020),
        ].compactMap { $0 }
    }

    private static func judge(
        _ response: FetchResponse?, _ url: String, _ code: String, _ what: String, _ number: Int
    ) -> Finding? {
        guard let response else { return nil }
        let isRight = response.status == .badRequest && MCPAnswer(response) == .error(number)
        return Finding(
            isRight ? .pass : .warn, code,
            isRight
                ? "\(what) is answered 400 with the error \(number)."
                : "\(what) is answered \(response.status.code) and not 400 with the error \(number).",
            exchange: Exchange(.post, url, response))
    }

    // MARK: Sessions

    private func sessions(_ url: String, _ good: FetchResponse, _ session: FetchResponse?) -> [Finding] {
        var findings: [Finding] = []
        if good.fields.contains("Mcp-Session-Id") {
            findings.append(
                Finding(
                    .warn, "mcp.session",
                    "A message of \(MCPCall.revision) is answered with Mcp-Session-Id; the revision has no "
                        + "sessions.", exchange: Exchange(.post, url, good)))
        }
        for response in [good, session].compactMap({ $0 }) where Self.hasSessionInURL(response) {
            findings.append(
                Finding(
                    .warn, "mcp.session", "The session identifier is in a URL, which ends up in logs.",
                    exchange: Exchange(.post, url, response)))
            break
        }
        if let session, let identifier = session.fields["Mcp-Session-Id"] {
            let bits = SessionStrength.bitCount(of: identifier)
            if bits < 128 {
                findings.append(
                    Finding(
                        .warn, "mcp.session",
                        "The session identifier has room for at most \(bits) bits; 128 are needed so that nobody "
                            + "guesses it.", exchange: Exchange(.post, url, session)))
            }
        }
        return findings
    }

    private static func hasSessionInURL(_ response: FetchResponse) -> Bool {
        let place = ASCII.lowercased(response.fields[.location] ?? "")
        let text =
            MCPAnswer.isEventStream(response)
            ? ASCII.lowercased(String(decoding: response.body, as: UTF8.self)) : ""
        return ["sessionid=", "session_id=", "session="].contains { place.contains($0) || text.contains($0) }
    }
}

/// How many bits a session identifier can have.
enum SessionStrength {
    /// The length in bits if each character is as random as its alphabet allows.
    static func bitCount(of identifier: String) -> Int {
        let bytes = identifier.utf8.filter { $0 != 0x2D }
        if bytes.allSatisfy({ (0x30...0x39).contains($0) }) { return bytes.count * 332 / 100 }
        let isHexadecimal = bytes.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20)
        }
        return bytes.count * (isHexadecimal ? 4 : 6)
    }
}
