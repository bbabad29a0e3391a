// SPDX-License-Identifier: MIT

extension Demo {
    /// The commands to paste into a shell, one by one or all at once.
    var commands: String {
        """
        # The authorization server is \(issuer), for this demo only. Paste these into a shell:

        # 1. A call without a token: 401, with the URL of the resource's metadata
        curl -si \(origin)/photos/7

        # 2. The resource's metadata
        curl -s \(origin)/.well-known/oauth-protected-resource/photos; echo

        # 3. The authorization server's metadata
        curl -s \(issuer)/.well-known/oauth-authorization-server; echo

        # 4. Register a client
        CLIENT=$(curl -s \(issuer)/register -H 'Content-Type: application/json' \
        -d '{"client_name": "curl", "grant_types": ["client_credentials"]}'); echo "$CLIENT"
        CLIENT_ID=$(echo "$CLIENT" | sed 's/.*"client_id":"\\([^"]*\\)".*/\\1/')
        CLIENT_SECRET=$(echo "$CLIENT" | sed 's/.*"client_secret":"\\([^"]*\\)".*/\\1/')

        # 5. Get a token with the scope photos.read
        ANSWER=$(curl -s \(issuer)/token -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials \
        -d scope=photos.read --data-urlencode resource=\(origin)/photos); echo "$ANSWER"
        TOKEN=$(echo "$ANSWER" | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

        # 6. The call with the token: 200
        curl -si \(origin)/photos/7 -H "Authorization: Bearer $TOKEN"; echo

        # 7. A call that needs another scope: 403
        curl -si -X DELETE \(origin)/photos/7 -H "Authorization: Bearer $TOKEN"; echo

        """
    }
}
