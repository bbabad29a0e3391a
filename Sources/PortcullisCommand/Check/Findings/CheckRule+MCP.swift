// SPDX-License-Identifier: MIT

extension CheckRule {
    /// Servers of the Model Context Protocol.
    static let mcpRules: [CheckRule] = [
        CheckRule(
            "mcp.open", .fail, "A POST without a token has no result.", clause: "MCP",
            client: "Anyone calls the tools without signing in.",
            mend:
                "Guard POST as GET. In FastMCP give the server an auth provider; with middleware, apply it to "
                + "the whole path and not to GET alone."),
        CheckRule(
            "mcp.origin", .warn, "A POST with a foreign Origin is answered 403.", clause: "MCP",
            client: "A web page can call a local server by DNS rebinding.",
            mend:
                "Compare Origin with a list before anything else; in the mcp package by TransportSecuritySettings."
        ),
        CheckRule(
            "mcp.version", .warn, "An unknown protocol version is answered 400 with the error -32022.",
            clause: "MCP", client: "It cannot find out which revision to use instead.",
            mend: "Refuse versions that are not implemented, and name the supported ones."),
        CheckRule(
            "mcp.mirror", .warn,
            "An Mcp-Method that differs from the body is answered 400 with the error -32020.",
            clause: "MCP", client: "A gateway that decides by the field is deceived.",
            mend: "Compare the field with the body's method."),
        CheckRule(
            "mcp.session", .warn, "There are no sessions in 2026-07-28, and older ones cannot be guessed.",
            clause: "MCP", client: "An attacker who guesses or reads the identifier takes over the session.",
            mend:
                "Make identifiers of 128 random bits, send them in Mcp-Session-Id only, and bind them to the "
                + "token's subject."),
    ]
}
