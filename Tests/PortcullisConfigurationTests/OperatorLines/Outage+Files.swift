// SPDX-License-Identifier: MIT

import Foundation
import PortcullisConfiguration

extension Outage {
    /// A file with one mistake.
    static func file(_ name: String, _ text: String) -> Outage {
        Outage(name) { findings(Array(text.utf8)) }
    }

    private static func findings(_ bytes: [UInt8]) -> [String] {
        do throws(InvalidConfiguration) {
            return try ConfigurationFile(parsing: bytes).warnings.map(\.description)
        } catch {
            // The errors come first to who has to repair the file.
            return error.findings.filter { $0.severity == .error }.map(\.description)
        }
    }

    private static func server(_ name: String, _ members: String) -> Outage {
        file(name, SampleFile.with(server: "{ \(members) }"))
    }

    private static func issuer(_ name: String, _ members: String, issuer: String = "https://as.example.com")
        -> Outage
    {
        file(name, SampleFile.with(authorizationServers: #"[{ "issuer": "\#(issuer)", \#(members) }]"#))
    }

    private static func resource(_ name: String, metadata: String = "", _ members: String = "") -> Outage {
        file(name, SampleFile.with(resource: SampleFile.resource(metadata: metadata, more: members)))
    }

    private static func route(_ name: String, _ route: String) -> Outage {
        resource(name, "\"routes\": [{ \(route) }]")
    }

    // Syntax.

    static let syntax: [Outage] = [
        Outage("syntax: no such file") {
            do throws(InvalidConfiguration) {
                _ = try ConfigurationFile(path: "/nowhere/server.json")
                return []
            } catch {
                return error.findings.map(\.description)
            }
        },
        file("syntax: an empty file", ""),
        file("syntax: a comment", "{\n  // the listener\n  \"server\": {} }"),
        file("syntax: a trailing comma", "{ \"resources\": [], }"),
        file("syntax: single quotes", "{ 'resources': [] }"),
        file("syntax: a key without quotes", "{ resources: [] }"),
        file("syntax: YAML", "---\nresources: []\n"), file("syntax: HTML", "<html></html>"),
        file("syntax: a missing brace", "{ \"resources\": ["),
        file("syntax: a key twice", "{ \"resources\": [], \"resources\": [] }"),
        Outage("syntax: UTF-16") { findings([0xFF, 0xFE, 0x7B, 0, 0x7D, 0]) },
    ]

    // Configuration.

    static let files: [Outage] = [
        file("file: no resources", "{}"), file("file: a list instead of an object", "[]"),
        file("file: an unknown key", SampleFile.with(more: #""resource": []"#)),
        server("server: a port as a word", #""port": "80""#),
        server("server: a port out of range", #""port": 80800"#),
        server("server: an unknown word", #""access_log": "xml""#),
        server("server: a log file without a log", #""access_log_file": "a.log""#),
        server("server: no network", #""trusted_proxies": ["10.0.0.0/33"]"#),
        server("server: a proxy over TLS", #""outbound_proxy": "https://user:s3cret@proxy.example""#),
        server(
            "server: a proxy without a port number",
            #""outbound_proxy": "http://user:s3cret@proxy.example:x""#),
        server("server: a user agent with a line break", #""user_agent": "a\nb""#),
        server("server: true as a number", #""client_cert_field": 1"#),
        issuer("issuer: http", #""discovery": true"#, issuer: "http://as.example.com"),
        issuer("issuer: keys that are none", #""jwks": { "key": [] }, "discovery": true"#),
        issuer(
            "issuer: introspection without an endpoint",
            #""discovery": false, "introspection": { "client_id": "rs", "client_secret": "s3cret" }"#),
        issuer("issuer: introspection without a client", #""introspection": { "client_secret": "s3cret" }"#),
        issuer("issuer: no source of keys", #""discovery": false"#),
        issuer("issuer: a jwks_uri that is http", #""jwks_uri": "http://as.example.com/jwks""#),
        issuer("issuer: mistyped in the metadata", #""discovery": true"#, issuer: "https://as.example.co"),
        issuer("issuer: trusted by nobody", #""discovery": true"#, issuer: "https://login.example.org"),
        file(
            "resource: no identifier",
            #"{ "resources": [{ "metadata": { "authorization_servers": ["https://as.example.com"] } }] }"#),
        file(
            "resource: a fragment",
            SampleFile.with(resource: SampleFile.resource("https://api.example.com/a#b"))),
        file(
            "resource: no issuer",
            #"{ "resources": [{ "metadata": { "resource": "https://api.example.com/a" } }] }"#),
        resource("resource: a scope with a space", metadata: #""scopes_supported": ["a b"]"#),
        resource("resource: an algorithm that is no signature", #""tokens": { "algorithms": ["none"] }"#),
        resource("resource: opaque tokens without introspection", #""tokens": { "format": "opaque" }"#),
        route("route: outside its resource", #""path": "/videos", "respond": "echo""#),
        route(
            "route: a method in lower case", #""path": "/photos/x", "methods": ["get"], "respond": "echo""#),
        route("route: no answer", #""path": "/photos/x""#),
    ]

    static let limits: [Outage] = [
        server("limit: a negative number", #""limits": { "max_connections": -1 }"#),
        server("limit: a duration above a day", #""limits": { "idle_timeout_seconds": 100000 }"#),
        server("limit: a duration as a word", #""limits": { "idle_timeout_seconds": "1m" }"#),
        resource("limit: too much leeway", #""tokens": { "leeway_seconds": 301 }"#),
        issuer("limit: an answer of one byte", #""max_response_bytes": 1"#),
    ]

    // Disk.

    static let disks: [Outage] = [
        Outage("disk: no certificate") {
            serving(#""tls": { "certificate": "no.pem", "private_key": "/dev/null" }"#) {
                (file) throws(InvalidConfiguration) in
                _ = try file.makeTLS(relativeTo: "/nowhere/server.json")
            }
        },
        Outage("disk: no trusted authorities") {
            let servers = #"[{ "issuer": "https://as.example.com", "ca_certificates": "no.pem" }]"#
            return making(SampleFile.with(authorizationServers: servers)) {
                (file) throws(InvalidConfiguration) in
                _ = try file.makeResources(relativeTo: "/nowhere/server.json", onEvent: { _ in })
            }
        },
        Outage("disk: no folder for the access log") {
            serving(#""access_log": "text", "access_log_file": "access.log""#) {
                (file) throws(InvalidConfiguration) in
                _ = try file.makeAccessLog(relativeTo: "/nowhere/server.json")
            }
        },
        Outage("disk: no space for the access log") { await lossOfLines() },
    ]

    private static func serving(
        _ members: String, _ make: (ConfigurationFile) throws(InvalidConfiguration) -> Void
    ) -> [String] {
        making(SampleFile.with(server: "{ \(members) }"), make)
    }

    static func making(
        _ text: String, _ make: (ConfigurationFile) throws(InvalidConfiguration) -> Void
    ) -> [String] {
        do throws(InvalidConfiguration) {
            try make(ConfigurationFile(parsing: Array(text.utf8)))
            return []
        } catch {
            return error.findings.map(\.description)
        }
    }

    // Reload.

    static let reloads: [Outage] = [
        Outage("reload: another port") { try changes(#""port": 8080"#, #""port": 8081"#) },
        Outage("reload: another log file") {
            try changes(#""access_log": "text""#, #""access_log": "json""#)
        },
    ]

    private static func changes(_ before: String, _ after: String) throws -> [String] {
        let files = try [before, after].map {
            try ConfigurationFile(parsing: Array(SampleFile.with(server: "{ \($0) }").utf8))
        }
        return files[1].changesForRestart(from: files[0]).map {
            "reload: \($0) has changed; restart to apply it"
        }
    }
}
