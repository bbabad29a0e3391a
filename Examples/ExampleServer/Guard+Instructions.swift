// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

extension Guard {
    /// What the program prints: what is guarded, how clients get in, and what production needs.
    var instructions: String {
        """
        # A request for \(example("PATH")) needs a token of the demo authorization server \(issuer),
        # and is passed on to \(upstreamExample("PATH")).

        # For an MCP client. Change the path if the endpoint of your server has another one.
        {"mcpServers": {"guarded": {"type": "http", "url": \(quoted(endpoint))}}}

        # Or with curl: a call without a token is 401, with the URL of the resource's metadata
        curl -si \(shellQuoted(endpoint))

        # Register a client, and get a token
        CLIENT=$(curl -s \(issuer)/register -H 'Content-Type: application/json' \
        -d '{"client_name": "curl", "grant_types": ["client_credentials"]}'); echo "$CLIENT"
        CLIENT_ID=$(echo "$CLIENT" | sed 's/.*"client_id":"\\([^"]*\\)".*/\\1/')
        CLIENT_SECRET=$(echo "$CLIENT" | sed 's/.*"client_secret":"\\([^"]*\\)".*/\\1/')
        ANSWER=$(curl -s \(issuer)/token -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials \
        --data-urlencode resource=\(shellQuoted(resource.text))); echo "$ANSWER"
        TOKEN=$(echo "$ANSWER" | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

        # The call with the token is passed on
        curl -si \(shellQuoted(endpoint)) -H "Authorization: Bearer $TOKEN"; echo

        # For production: the demo authorization server lets everybody in as the same user, and forgets its keys
        # when it ends. Write this to a file, for example-server --config FILE:
        \(productionFile)
        # resource: the https URL that clients use, with "tls" in "server", or with a proxy in front.
        # authorization_servers: yours. "portcullis init ISSUER RESOURCE" finds out what its tokens need.
        # routes: "scopes" for each path. For an MCP server, "profile": "mcp" in the resource.
        # All keys: Examples/ExampleServer/README.md.

        """
    }

    /// The path of the resource, without a slash at its end.
    private var base: String {
        let path = resource.url.path
        return path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// The URL of the MCP endpoint: the resource itself, or the usual path below a whole host.
    private var endpoint: String { base.isEmpty ? example("mcp") : resource.text }

    /// The URL of a path below the resource, as clients write it.
    private func example(_ path: String) -> String {
        resource.text + (resource.text.hasSuffix("/") ? "" : "/") + path
    }

    private func upstreamExample(_ path: String) -> String {
        if words.upstream.hasPrefix("unix:") { return "\(words.upstream) as \(base)/\(path)" }
        let upstream = words.upstream.hasSuffix("/") ? String(words.upstream.dropLast()) : words.upstream
        return upstream + "\(base)/\(path)"
    }

    /// A file that guards the same server for an authorization server of the user's.
    private var productionFile: String {
        let identifier = resource.url.isSecure ? resource.text : "https://api.example.com\(resource.url.path)"
        let proxy = "{ \"proxy\": { \"url\": \(quoted(words.upstream)), \"upgrade\": [\"websocket\"] } }"
        return """
            { "resources": [ {
                "metadata": { "resource": \(quoted(identifier)),
                              "authorization_servers": ["https://login.example.com"],
                              "bearer_methods_supported": ["header"] },
                "routes": [ { "path": \(quoted(base.isEmpty ? "/" : base)), "respond": \(proxy) },
                            { "path": \(quoted(base + "/{rest...}")), "respond": \(proxy) } ] } ] }
            """
    }

    private func quoted(_ text: String) -> String {
        String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
    }

    /// A word of a shell; URLs have no quotation mark of another kind than `'`.
    private func shellQuoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F: true
            default: false
            }
        }
        return isPlain
            ? text
            : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
                + "'"
    }
}
