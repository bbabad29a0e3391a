// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer
import PortcullisTransport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Configuration file: where the server listens")
struct ListeningTests {
    private static let places = ListenerFault.Places(object: "$.server")

    @Test func `the path of a Unix domain socket is relative to the file`() {
        func host(_ text: String) -> String {
            ConfigurationFile.listenerHost(text, relativeTo: "/etc/portcullis/server.json")
        }
        #expect(host("unix:api.sock") == "unix:/etc/portcullis/api.sock")
        #expect(host("unix:/run/api.sock") == "unix:/run/api.sock")
        #expect(host("unix:@name") == "unix:@name")
        #expect(host("127.0.0.1") == "127.0.0.1")
    }

    @Test func `mode and owner of the socket are read`() throws {
        let file = try ServingTests.file(
            SampleFile.with(
                server: #"{"host": "unix:a", "unix_socket_mode": "0600", "unix_socket_owner": "0:0"}"#))
        #expect(file.server.unixSocketMode == 0o600)
        #expect(try file.makeSocketOwner() == FileOwner(userID: 0, groupID: 0))
        #expect(file.warnings.isEmpty)
        let plain = try ServingTests.file(SampleFile.with())
        #expect(plain.server.unixSocketMode == 0o660)
        #expect(try plain.makeSocketOwner() == nil)
    }

    @Test(arguments: [#""660""#, #""0660""#, #""777""#])
    func `a mode has three octal digits`(mode: String) throws {
        _ = try ServingTests.file(
            SampleFile.with(server: #"{"host": "unix:a", "unix_socket_mode": \#(mode)}"#))
    }

    @Test(arguments: ["660", "432", #""0o660""#, #""1777""#, #""0888""#, #""66""#, #""""#, "null"])
    func `anything else is no mode`(mode: String) {
        #expect(
            SampleFile.problems(SampleFile.with(server: #"{"host": "unix:a", "unix_socket_mode": \#(mode)}"#))
                == ["$.server.unix_socket_mode: must be an octal mode in a string, such as \"0660\""])
    }

    @Test(arguments: [
        ("no-such-user-here", "names a user that this system does not have"),
        (":no-such-group-here", "names a group that this system does not have"),
        ("a:b:c", "must be \"user:group\", \"user\" or \":group\", each a name or a number"),
        (":", "must be \"user:group\", \"user\" or \":group\", each a name or a number"),
    ])
    func `an unknown owner is an error`(owner: String, message: String) throws {
        let file = try ServingTests.file(
            SampleFile.with(server: #"{"host": "unix:a", "unix_socket_owner": "\#(owner)"}"#))
        let error = #expect(throws: InvalidConfiguration.self) { try file.makeSocketOwner() }
        #expect(error?.findings.map(\.description) == ["$.server.unix_socket_owner: " + message])
    }

    @Test func `settings of a socket without a socket are warned about`() throws {
        let file = try ServingTests.file(SampleFile.with(server: #"{"unix_socket_mode": "0600"}"#))
        #expect(
            file.warnings.map(\.description) == [
                "$.server.unix_socket_mode: warning: has no effect, since host is not a Unix domain socket"
            ])
    }

    @Test(arguments: [
        (
            SocketError(call: .bind, code: EADDRINUSE),
            "$.server.port: 80 is in use by another program; must be a free port, or 0 to select one"
        ),
        (
            SocketError(call: .bind, code: EACCES),
            "$.server.port: 80 needs the right to bind a port below 1024; use another port, a systemd socket unit, "
                + "or give the program the capability CAP_NET_BIND_SERVICE"
        ),
        (
            SocketError(call: .bind, code: EADDRNOTAVAIL),
            "$.server.host: h cannot be bound: Cannot assign requested address; must be an address of this machine"
        ),
        (
            SocketError(call: .resolve, code: EAI_NONAME),
            "$.server.host: h is no address and no name that this machine can resolve: Name or service not known"
        ),
    ])
    func `a port that cannot be bound says why`(error: SocketError, text: String) {
        #expect(ListenerFault(error, host: "h", port: 80, at: Self.places).description == text)
    }

    @Test(arguments: [
        (
            SocketError(call: .bind, code: EADDRINUSE), true,
            "$.server.host: another program listens on /run/a; stop it, or use another path"
        ),
        (
            SocketError(call: .bind, code: EADDRINUSE), false,
            "$.server.host: /run/a is a file, but not a socket; remove it, or use another path"
        ),
        (
            SocketError(call: .bind, code: ENOENT), true,
            "$.server.host: the folder of /run/a does not exist; create it"
        ),
        (
            SocketError(call: .bind, code: EACCES), true,
            "$.server.host: /run/a cannot be created: Permission denied; its folder must be writable"
        ),
        (
            SocketError(call: .bind, code: ENAMETOOLONG), true,
            "$.server.host: /run/a is empty or too long for a socket's path"
        ),
        (
            SocketError(call: .owner, code: EPERM), true,
            "$.server.unix_socket_owner: cannot be set for /run/a: Operation not permitted; only root gives files "
                + "to others"
        ),
        (
            SocketError(call: .permissions, code: EROFS), true,
            "$.server.unix_socket_mode: cannot be set for /run/a: Read-only file system"
        ),
    ])
    func `a socket that cannot be made says why`(error: SocketError, isSocket: Bool, text: String) {
        let fault = ListenerFault(error, host: "unix:/run/a", port: 80, isSocket: isSocket, at: Self.places)
        #expect(fault.description == text)
    }

    @Test func `the idle timeout is above that of common load balancers`() {
        #expect(Server.Limits().idleTimeout == .seconds(75))
    }
}

@Suite("Configuration file: how editors save it")
struct EditedFileTests {
    private static func bytes(_ text: String, mark: [UInt8] = []) -> [UInt8] { mark + Array(text.utf8) }

    @Test func `a byte order mark is ignored, also where a position is counted`() throws {
        _ = try ConfigurationFile(parsing: Self.bytes(SampleFile.with(), mark: [0xEF, 0xBB, 0xBF]))
        let error = #expect(throws: InvalidConfiguration.self) {
            try ConfigurationFile(parsing: Self.bytes("!", mark: [0xEF, 0xBB, 0xBF]))
        }
        #expect(
            error?.findings.map(\.description)
                == ["$: must be JSON: an unexpected character, at line 1, column 1"])
    }
}

@Suite("Configuration file: pages, proxies and traces")
struct EdgeKeyTests {
    @Test func `fields are allowed and exposed in addition to those that always are`() throws {
        let more = """
            "cors": {"allowed_origins": ["https://app.example.com"], "allowed_headers": ["X-Custom", "accept"],
                     "exposed_headers": ["X-Count", "DPoP-Nonce"]}
            """
        let file = try ServingTests.file(SampleFile.with(resource: SampleFile.resource(more: more)))
        let policy = try #require(file.resources.first?.cors)
        #expect(policy.allowedFields == CORSPolicy.defaultAllowedFields + ["X-Custom"])
        #expect(policy.exposedFields == CORSPolicy.defaultExposedFields + ["X-Count"])
    }

    @Test(arguments: ["allowed_headers", "exposed_headers"])
    func `a wildcard and a value that is no name are errors`(key: String) {
        let text = SampleFile.with(
            resource: SampleFile.resource(
                more: #""cors": {"allowed_origins": ["https://a.example"], "\#(key)": ["*", "X Y"]}"#))
        #expect(
            SampleFile.problems(text)
                == (0...1).map {
                    "$.resources[0].cors.\(key)[\($0)]: must be the name of a field, such as \"X-Custom\""
                })
    }

    @Test func `a public route has a policy of its own`() throws {
        let file = try ServingTests.file(
            SampleFile.with(
                more:
                    #""public_routes": [{"path": "/p", "cors": {"allowed_origins": ["*"]}, "respond": {"events": 2}}]"#
            ))
        let route = try #require(file.publicRoutes.first)
        #expect(route.cors == .anyOrigin)
        #expect(route.answer == .events(count: 2))
    }

    @Test func `the field of client certificates has a name and a form`() throws {
        let file = try ServingTests.file(
            SampleFile.with(
                server: """
                    {"trusted_proxies": ["10.0.0.1"], "client_cert_field": true,
                     "client_cert_name": "X-SSL-Client-Cert", "client_cert_format": "pem", "traces": "all",
                     "metrics_names": "both"}
                    """))
        let configuration = file.makeServerConfiguration(log: { _ in })
        #expect(
            configuration.proxies.clientCertificateField == ClientCertificateField("X-SSL-Client-Cert", .pem))
        #expect(configuration.traces == .all)
        #expect(file.server.metricsNames == .both)
        let plain = try ServingTests.file(SampleFile.with()).makeServerConfiguration(log: { _ in })
        #expect(plain.proxies.clientCertificateField == .clientCert)
        #expect(plain.traces == .trusted)
    }

    @Test func `a form without a field is warned about, and a name must be one`() throws {
        let file = try ServingTests.file(SampleFile.with(server: #"{"client_cert_format": "pem"}"#))
        #expect(
            file.warnings.map(\.description)
                == ["$.server.client_cert_format: warning: has no effect without \"client_cert_field\": true"]
        )
        #expect(
            SampleFile.problems(
                SampleFile.with(
                    server:
                        #"{"trusted_proxies": ["unix"], "client_cert_field": true, "client_cert_name": "a b"}"#
                ))
                == ["$.server.client_cert_name: must be the name of a field, such as \"X-SSL-Client-Cert\""])
    }

    @Test(arguments: [
        ("https://api.example.com:443/photos", true), ("https://api.example.com:0443/photos", true),
        ("https://api.example.com:8443/photos", false), ("https://api.example.com/photos", false),
        ("http://localhost:80/photos", true), ("http://[::1]/photos", false),
        ("http://[::1]:80/photos", true),
    ])
    func `a default port in an identifier is warned about`(identifier: String, isWarnedAbout: Bool) throws {
        let resource = try ProtectedResource(
            validating: .init(
                {
                    var metadata = ProtectedResourceMetadata(
                        resource: try ResourceIdentifier(validating: identifier))
                    metadata.authorizationServers = ["https://login.example.com"]
                    return metadata
                }(), trusting: [.jwt(issuer: "https://login.example.com")]))
        #expect(resource.warnings.contains { $0.contains("default port") } == isWarnedAbout)
    }
}
