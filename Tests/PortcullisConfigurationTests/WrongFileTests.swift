// SPDX-License-Identifier: MIT

import Testing

/// One mistake per row, and exactly the line that reports it.
@Suite("Configuration file: invalid values")
struct WrongFileTests {
    @Test(arguments: [
        (#"{"port": 8080.5}"#, "port: must be a whole number from 0 to 65535"),
        (#"{"port": "8080"}"#, "port: must be a whole number from 0 to 65535"),
        (#"{"port": null}"#, "port: must be a whole number from 0 to 65535"),
        (#"{"port": 1e999}"#, "port: must be a whole number from 0 to 65535"),
        (#"{"event_loops": 0}"#, "event_loops: must be a whole number from 1 to 1024"),
        (
            #"{"shutdown_grace_seconds": -1}"#,
            "shutdown_grace_seconds: must be a number of seconds from 0 to 86400"
        ),
        (
            #"{"limits": {"idle_timeout_seconds": 0}}"#,
            "limits.idle_timeout_seconds: must be a number of seconds from 0.01 to 86400"
        ),
        (
            #"{"limits": {"max_connections": 0}}"#,
            "limits.max_connections: must be a whole number from 1 to 1000000"
        ),
        (#"{"limits": []}"#, "limits: must be an object"),
        (#"{"forwarded": "both"}"#, #"forwarded: must be one of "none", "forwarded", "x-forwarded""#),
        (#"{"access_log": true}"#, #"access_log: must be one of "none", "text", "json""#),
        (#"{"client_cert_field": "no"}"#, "client_cert_field: must be true or false"),
        (#"{"trusted_proxies": "::1"}"#, "trusted_proxies: must be a list of strings"),
        (
            #"{"trusted_proxies": ["::1/128", "proxy.example.com"]}"#,
            #"trusted_proxies[1]: must be an IP address, a network such as "10.0.0.0/8", or "unix""#
        ),
        (
            #"{"access_log_file": "access.log"}"#,
            #"access_log_file: needs an access log; set access_log to "text" or "json""#
        ),
        (#"{"proxy_protocol": "v2"}"#, "proxy_protocol: must be true or false"),
        (#"{"problem_details": "yes"}"#, #"problem_details: must be one of "accept", "always", "never""#),
        (#"{"request_ids": 1}"#, "request_ids: must be true or false"),
        (#"{"tls": true}"#, "tls: must be an object"),
        (
            #"{"tls": {"private_key": "b"}}"#,
            "tls.certificate: missing; must be a file with the server's certificate and its chain in PEM"
        ),
        (
            #"{"tls": {"certificate": "a"}}"#,
            "tls.private_key: missing; must be a file with the certificate's key in PEM"
        ),
        (
            #"{"tls": {"certificate": "a", "private_key": "b", "client_certificates": "optional"}}"#,
            #"tls.client_certificates: must be one of "none", "request", "require""#
        ),
        (
            #"{"tls": {"certificate": "a", "private_key": "b", "client_certificates": "require"}}"#,
            #"tls.client_ca: missing; must be a file of certificates in PEM if client_certificates is "require""#
        ),
        (
            #"{"tls": {"certificate": "a", "private_key": "b", "ca": "c"}}"#,
            "tls.ca: unknown key; known here: certificate, private_key, client_certificates, client_ca"
        ),
    ])
    func server(value: String, problem: String) {
        #expect(SampleFile.problems(SampleFile.with(server: value)) == ["$.server." + problem])
    }

    @Test(arguments: [
        (#"{"nonce": "on"}"#, #"nonce: must be one of "off", "required""#),
        (
            #"{"nonce_lifetime_seconds": 0}"#,
            "nonce_lifetime_seconds: must be a number of seconds from 1 to 86400"
        ),
        (
            #"{"nonce_keys": ["AAAA"]}"#,
            "nonce_keys[0]: must be 32 or more random bytes in base64url without padding"
        ),
        (
            #"{"proof_max_age_seconds": 0}"#,
            "proof_max_age_seconds: must be a number of seconds from 1 to 3600"
        ),
        (
            #"{"proof_max_future_seconds": -1}"#,
            "proof_max_future_seconds: must be a number of seconds from 0 to 300"
        ),
        (
            #"{"replay_cache_entries": 0}"#,
            "replay_cache_entries: must be a whole number from 1 to 100000000"
        ),
        (#"{"refuse_htu_query": 1}"#, "refuse_htu_query: must be true or false"),
        (#"{"refuse_stray_proofs": null}"#, "refuse_stray_proofs: must be true or false"),
        (
            #"{"replays": 1}"#,
            "replays: unknown key; known here: nonce, nonce_lifetime_seconds, nonce_keys, nonce_keys_file, proof_max_age_seconds, "
                + "proof_max_future_seconds, replay_cache_entries, refuse_htu_query, refuse_stray_proofs"
        ),
    ])
    func dpop(value: String, problem: String) {
        let resource = SampleFile.resource(more: #""tokens": {"dpop": \#(value)}"#)
        #expect(
            SampleFile.problems(SampleFile.with(resource: resource))
                == ["$.resources[0].tokens.dpop." + problem])
    }

    @Test(arguments: [
        (
            #""acr_values": ["a b"]"#,
            "acr_values[0]: must be printable ASCII without space, quote, backslash and comma"
        ),
        (#""acr_values": "a""#, "acr_values: must be a list of acr values"),
        (
            #""max_age_seconds": -1"#,
            "max_age_seconds: must be a number of seconds from 0 to 315360000"
        ),
        (#""sender_constrained": 1"#, "sender_constrained: must be true or false"),
        (#""fresh_introspection": "yes""#, "fresh_introspection: must be true or false"),
        (
            #""fresh_introspection": true"#,
            "fresh_introspection: must not be true where no issuer has introspection; configure it for one"
        ),
        (
            #""authorization_details": [{"actions": ["a"]}]"#,
            "authorization_details[0]: must have a type, and the common members as RFC 9396 section 2.2 defines them"
        ),
        (
            #""authorization_details": [{"type": "x"}]"#,
            "authorization_details[0]: has a type that is not in the metadata's "
                + "authorization_details_types_supported; add it there"
        ),
    ])
    func requirement(value: String, problem: String) {
        let resource = SampleFile.resource(
            more: #""routes": [{"path": "/photos", \#(value), "respond": "echo"}]"#)
        #expect(
            SampleFile.problems(SampleFile.with(resource: resource)) == [
                "$.resources[0].routes[0]." + problem
            ])
    }

    @Test(arguments: [
        (#"{"port": 65536}"#, "port: must be a whole number from 0 to 65535"),
        (#"{"host": ""}"#, "host: must be a string that is not empty"),
        (#"{"path": "/"}"#, "path: unknown key; known here: host, port"),
    ])
    func admin(value: String, problem: String) {
        #expect(SampleFile.problems(SampleFile.with(more: #""admin": \#(value)"#)) == ["$.admin." + problem])
    }

    @Test(arguments: [
        (#"{}"#, "issuer: missing; must be the issuer's https URL, as its metadata spells it"),
        (#"{"issuer": 1}"#, "issuer: must be a string that is not empty"),
        (
            #"{"issuer": "https://as.example.com", "jwks": {"keys": 1}}"#,
            "jwks: must be a JWK set: an object whose \"keys\" is a list of public keys"
        ),
        (
            #"{"issuer": "https://as.example.com", "jwks_uri": "http://as.example.com/jwks"}"#,
            "jwks_uri: must be an https URL without a fragment"
        ),
        (
            #"{"issuer": "https://as.example.com", "jwks_uri": "http://127.0.0.1/jwks"}"#,
            "jwks_uri: must be an https URL, or set \"allow_insecure_loopback\": true in the issuer's entry"
        ),
        (
            #"{"issuer": "https://as.example.com", "jwks": {"keys": []}, "#
                + #""jwks_uri": "https://as.example.com/jwks"}"#,
            "jwks_uri: must not be given together with jwks; remove one of them"
        ),
        (
            #"{"issuer": "https://as.example.com", "discovery": false}"#,
            "discovery: is off and there is neither jwks, jwks_uri nor introspection; give one"
        ),
        (
            #"{"issuer": "https://as.example.com", "introspection": {"client_id": "a"}}"#,
            "introspection.client_secret: missing; must be the secret that goes with client_id"
        ),
        (
            #"{"issuer": "https://as.example.com", "introspection": {"client_secret": "a"}}"#,
            "introspection.client_id: missing; must be the identifier that this server has at the issuer"
        ),
        (
            """
            {"issuer": "https://as.example.com", "discovery": false,
             "introspection": {"client_id": "a", "client_secret": "b"}}
            """, "introspection.endpoint: missing; must be given where discovery is off"
        ),
        (
            #"{"issuer": "https://as.example.com", "introspection": {"client_auth": "bearer"}}"#,
            "introspection.bearer_token: missing; must be the access token that this server presents"
        ),
        (
            #"""
            {"issuer": "https://as.example.com",
             "introspection": {"client_id": "a", "client_auth": "client_secret_post"}}
            """#, "introspection.client_secret: missing; must be the secret that goes with client_id"
        ),
        (
            #"""
            {"issuer": "https://as.example.com",
             "introspection": {"client_id": "a", "client_auth": "private_key_jwt"}}
            """#,
            "introspection.private_key: missing; must be the name of a file with the client's private key as a JWK"
        ),
        (
            #"""
            {"issuer": "https://as.example.com", "introspection":
              {"client_id": "a", "client_auth": "tls_client_auth", "client_certificate": "c.pem"}}
            """#,
            "introspection.client_private_key: missing; must be the name of a file with the certificate's private "
                + "key in PEM"
        ),
        (
            #"{"issuer": "https://as.example.com", "#
                + #""introspection": {"client_id": "a", "client_auth": "none"}}"#,
            "introspection.client_auth: must be one of \"client_secret_basic\", \"client_secret_post\", "
                + "\"private_key_jwt\", \"tls_client_auth\", \"bearer\""
        ),
        (
            #"{"issuer": "https://as.example.com", "jwks_cooldown_seconds": 0.5}"#,
            "jwks_cooldown_seconds: must be a number of seconds from 1 to 3600"
        ),
    ])
    func `authorization server`(value: String, problem: String) {
        let problems = SampleFile.problems(SampleFile.with(authorizationServers: "[\(value)]"))
        #expect(problems.first == "$.authorization_servers[0]." + problem)
    }

    @Test(arguments: [
        (#"{"format": "saml"}"#, #"format: must be one of "jwt", "opaque", "any""#),
        (
            #"{"format": "opaque"}"#,
            "format: must not be \"opaque\" where no issuer has introspection; configure it for one"
        ),
        (
            #"{"algorithms": ["none"]}"#,
            "algorithms[0]: must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519"
        ),
        (
            #"{"algorithms": []}"#,
            "algorithms: must not be empty; leave it out to accept every asymmetric algorithm"
        ),
        (#"{"types": []}"#, "types: must be a list of accepted typ values that is not empty"),
        (
            #"{"audiences": []}"#,
            "audiences: must not be empty; leave it out to accept the resource identifier"
        ),
        (#"{"audiences": ["a", "a"]}"#, "audiences[1]: given more than once; remove the repetition"),
        (#"{"leeway_seconds": 301}"#, "leeway_seconds: must be a number of seconds from 0 to 300"),
        (#"{"leeway_seconds": "30"}"#, "leeway_seconds: must be a number of seconds from 0 to 300"),
        (#"{"scope_claims": []}"#, "scope_claims: must not be empty; leave it out for \"scope\""),
        (
            #"{"scope_implies": {"a": ["b c"]}}"#,
            "scope_implies.a[0]: must be a scope: printable ASCII without blank, quotation mark and backslash"
        ),
        (#"{"max_token_bytes": 0}"#, "max_token_bytes: must be a whole number from 64 to 1048576"),
        (
            #"{"introspection_audience": "no"}"#,
            #"introspection_audience: must be one of "required", "optional""#
        ),
    ])
    func tokens(value: String, problem: String) {
        let resource = SampleFile.resource(more: "\"tokens\": \(value)")
        #expect(
            SampleFile.problems(SampleFile.with(resource: resource)) == ["$.resources[0].tokens." + problem])
    }

    @Test(arguments: [
        "http://api.example.com/photos", "https://api.example.com/photos#", "https://api.example.com/a/../b",
        "https://user@api.example.com/", "ftp://api.example.com/", "photos", "https://",
        "https://api.example.com/a//b",
    ])
    func `resource identifiers that RFC 9728 forbids or no request reaches`(identifier: String) {
        let problems = SampleFile.problems(SampleFile.with(resource: SampleFile.resource(identifier)))
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("$.resources[0].metadata.resource: ") == true)
    }

    @Test(arguments: [
        #"{"respond": "echo"}"#:
            "path: missing; must be the whole path on the host, such as \"/photos/{id}\"",
        #"{"path": "photos", "respond": "echo"}"#: "path: must start with a slash",
        #"{"path": "/photos//x", "respond": "echo"}"#: "path: must not have an empty segment",
        #"{"path": "/photos/../x", "respond": "echo"}"#: "path: must not have dot segments",
        #"{"path": "/photos/{a}/{a}", "respond": "echo"}"#: "path: must not use a parameter name twice",
        #"{"path": "/photos/{a...}/b", "respond": "echo"}"#:
            "path: must have \"{name...}\" as its last segment only",
        #"{"path": "/photos/a{b}", "respond": "echo"}"#:
            "path: must have parameters as whole segments: \"/{name}\"",
        #"{"path": "/photos/{}", "respond": "echo"}"#:
            "path: must name its parameters with letters, digits and underscores",
        #"{"path": "/photos/é", "respond": "echo"}"#:
            "path: must be a path in its URL spelling, percent-encoded, without a query",
        #"{"path": "/photos/%e9", "respond": "echo"}"#: "path: must be UTF-8 without encoded ",
        #"{"path": "/notes", "respond": "echo"}"#: "path: must lie under the path of its resource, /photos",
        #"{"path": "/photosx", "respond": "echo"}"#: "path: must lie under the path of its resource, /photos",
        #"{"path": "/photos", "methods": [], "respond": "echo"}"#:
            "methods: must not be empty; leave it out for GET",
        #"{"path": "/photos", "methods": ["get"], "respond": "echo"}"#:
            "methods[0]: must be in capitals; methods are case-sensitive",
        #"{"path": "/photos", "methods": ["A B"], "respond": "echo"}"#:
            "methods[0]: must be a method's name, such as \"GET\"",
        #"{"path": "/photos", "methods": ["CONNECT"], "respond": "echo"}"#:
            "methods[0]: is never served; leave it out",
        #"{"path": "/photos", "scopes": ["other"], "respond": "echo"}"#:
            "scopes[0]: is not in the resource's scopes_supported; add it there",
        #"{"path": "/photos"}"#: "respond: missing; must be ",
        #"{"path": "/photos", "respond": {"text": 1}}"#: "respond.text: must be a string",
        #"{"path": "/photos", "respond": {"text": "a", "stream": 1}}"#: "respond: must be ",
        #"{"path": "/photos", "respond": {"stream": -1}}"#:
            "respond.stream: must be a whole number from 0 to 1000000",
        #"{"path": "/photos", "respond": {"sleep": 1}}"#: "respond.sleep: unknown key; known here: ",
    ])
    func `routes of a resource`(route: String, problem: String) {
        let resource = SampleFile.resource(
            metadata: #""scopes_supported": ["photos.read"]"#, more: "\"routes\": [\(route)]")
        let problems = SampleFile.problems(SampleFile.with(resource: resource))
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("$.resources[0].routes[0]." + problem) == true)
    }

    @Test(arguments: [
        ("resource_metadata", "a"), ("Scope", "a"), ("realm", "a\\\"b"), ("a b", "a"),
        ("error_description", "a"),
    ])
    func `challenge parameters`(name: String, value: String) {
        let resource = SampleFile.resource(more: "\"challenge_parameters\": {\"\(name)\": \"\(value)\"}")
        let problems = SampleFile.problems(SampleFile.with(resource: resource))
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("$.resources[0].challenge_parameters") == true)
    }
}
