// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisHTTP
package import PortcullisServer

/// The `server` object, with defaults for omitted keys.
package struct ServerSettings: Sendable, Hashable {
    /// The `limits` object: bounds on connections and requests.
    package struct Limits: Sendable, Hashable {
        package var maxConnectionCount = 10_000
        package var maxTargetByteCount = 8_192
        package var maxHeaderByteCount = 32_768
        package var maxFieldCount = 100
        package var maxBodyByteCount = 1_048_576
        package var headerTimeout: Duration = .seconds(10)
        package var bodyTimeout: Duration = .seconds(30)
        package var idleTimeout: Duration = .seconds(75)
        package var writeTimeout: Duration = .seconds(30)
    }

    package var host = "127.0.0.1"
    package var port = 8080
    /// `nil`: one per core.
    package var eventLoopCount: Int?
    package var limits = Limits()
    package var shutdownGrace: Duration = .seconds(10)
    /// The trusted proxies, and the fields that the server accepts from them.
    package var proxies = TrustedProxies.none
    /// The permissions of a Unix domain socket's file.
    package var unixSocketMode = ServerSocket.defaultPermissions
    /// The owner of that file, by names or numbers; `nil`: the process's own user and group.
    package var unixSocketOwner: String?
    /// From whom the server takes the trace of a request.
    package var traces = TraceTrust.trusted
    /// The names in `/metrics`.
    package var metricsNames = MetricsRegistry.Names.new
    /// `nil`: no access log.
    package var accessLog: AccessLog.Format?
    /// `nil`: standard error.
    package var accessLogFile: String?
    /// When the server's own errors have a problem details body.
    package var problemDetails = ProblemDetails.accept
    /// `nil`: only with an access log.
    package var assignsRequestIDs: Bool?
    /// Whether issuers' keys and metadata may be fetched from private addresses.
    package var privateAddresses = PrivateAddressPolicy.same
    /// `nil`: no TLS.
    package var tls: TLSSettings?
    /// How authorization servers are called.
    package var outbound = OutboundSettings()

    /// Creates the defaults.
    package init() {}
}

enum AccessLogFormat: String, CaseIterable {
    case none, text, json
}

extension ServerSettings {
    /// Durations above a day are probably mistakes in the unit.
    static let secondsRange = 0.0...86_400.0
    static let positiveSecondsRange = 0.01...86_400.0

    init(_ reader: ObjectReader) {
        host = reader.string("host") ?? host
        port = reader.integer("port", in: 0...65_535) ?? port
        readUnixSocket(reader)
        eventLoopCount = reader.integer("event_loops", in: 1...1_024)
        tls = reader.object("tls").flatMap(TLSSettings.init)
        if let object = reader.object("limits") { limits = Limits(object) }
        shutdownGrace = reader.seconds("shutdown_grace_seconds", in: Self.secondsRange) ?? shutdownGrace
        privateAddresses = reader.word("private_addresses", PrivateAddressPolicy.self) ?? privateAddresses
        readProxies(reader)
        traces = reader.word("traces", TraceTrust.self) ?? traces
        metricsNames = reader.word("metrics_names", MetricsRegistry.Names.self) ?? metricsNames
        readLog(reader)
        outbound = OutboundSettings(reader)
        reader.finish()
    }
}

extension ServerSettings {
    private mutating func readUnixSocket(_ reader: ObjectReader) {
        let isUnix = host.hasPrefix(ServerSocket.unixPrefix)
        if let value = reader.value("unix_socket_mode") {
            if case .string(let text) = value, let mode = Self.mode(text) {
                unixSocketMode = mode
            } else {
                reader.error("unix_socket_mode", "must be an octal mode in a string, such as \"0660\"")
            }
        }
        unixSocketOwner = reader.string("unix_socket_owner")
        for key in ["unix_socket_mode", "unix_socket_owner"] where !isUnix && reader.object[key] != nil {
            reader.warning(key, "has no effect, since host is not a Unix domain socket")
        }
    }

    /// Three octal digits, after an optional zero.
    private static func mode(_ text: String) -> UInt16? {
        guard (3...4).contains(text.utf8.count), text.utf8.count == 3 || text.utf8.first == 0x30,
            text.utf8.allSatisfy({ (0x30...0x37).contains($0) })
        else { return nil }
        return UInt16(text, radix: 8)
    }

    /// Reads the field in which proxies send their clients' certificates.
    private static func readCertificateField(_ reader: ObjectReader, isUsed: Bool) -> ClientCertificateField {
        var field = ClientCertificateField.clientCert
        field.format = reader.word("client_cert_format", ClientCertificateField.Format.self) ?? field.format
        if let text = reader.string("client_cert_name") {
            if let name = FieldName(text) {
                field.name = name
            } else {
                reader.error("client_cert_name", "must be the name of a field, such as \"X-SSL-Client-Cert\"")
            }
        }
        for key in ["client_cert_name", "client_cert_format"] where !isUsed && reader.object[key] != nil {
            reader.warning(key, "has no effect without \"client_cert_field\": true")
        }
        return field
    }

    private mutating func readProxies(_ reader: ObjectReader) {
        let networks = reader.strings("trusted_proxies") ?? []
        for (index, text) in networks.enumerated() where text != TrustedProxies.unix {
            let path = reader.path["trusted_proxies"][index]
            if let network = IPNetwork(text) {
                guard network.hasStrayBits else { continue }
                reader.findings.warning(path, "has bits set after its prefix; they are ignored")
            } else {
                reader.findings.error(
                    path,
                    "must be an IP address, a network such as \"10.0.0.0/8\", or \"unix\"; found "
                        + FoundValue.text(of: .string(text)))
            }
        }
        let family = reader.word("forwarded", TrustedProxies.ForwardedFamily.self) ?? .none
        if family != .none, networks.isEmpty {
            reader.warning("forwarded", "has no effect, since trusted_proxies names no proxy")
        }
        let usesProxyProtocol = reader.bool("proxy_protocol") ?? false
        if usesProxyProtocol, networks.isEmpty {
            reader.warning("proxy_protocol", "has no effect, since trusted_proxies names no proxy")
        }
        let sendsCertificates = reader.bool("client_cert_field") ?? false
        if sendsCertificates, networks.isEmpty {
            reader.warning("client_cert_field", "has no effect, since trusted_proxies names no proxy")
        }
        let field = Self.readCertificateField(reader, isUsed: sendsCertificates)
        // Invalid networks have been reported above.
        guard
            var proxies = try? TrustedProxies(
                networks, forwarded: family, usesProxyProtocol: usesProxyProtocol,
                sendsClientCertificates: sendsCertificates)
        else { return }
        proxies.clientCertificateField = field
        self.proxies = proxies
    }

    private mutating func readLog(_ reader: ObjectReader) {
        switch reader.word("access_log", AccessLogFormat.self) {
        case .text: accessLog = .text
        case .json: accessLog = .json
        case .some(.none), nil: break
        }
        accessLogFile = reader.string("access_log_file")
        if accessLogFile != nil, accessLog == nil {
            reader.error("access_log_file", "needs an access log; set access_log to \"text\" or \"json\"")
        }
        assignsRequestIDs = reader.bool("request_ids")
        problemDetails = reader.word("problem_details", ProblemDetails.self) ?? problemDetails
    }
}

extension ServerSettings.Limits {
    init(_ reader: ObjectReader) {
        let timeouts = ServerSettings.positiveSecondsRange
        maxConnectionCount = reader.integer("max_connections", in: 1...1_000_000) ?? maxConnectionCount
        maxTargetByteCount = reader.integer("max_target_bytes", in: 64...1_048_576) ?? maxTargetByteCount
        maxHeaderByteCount = reader.integer("max_header_bytes", in: 256...16_777_216) ?? maxHeaderByteCount
        maxFieldCount = reader.integer("max_header_fields", in: 1...10_000) ?? maxFieldCount
        maxBodyByteCount = reader.integer("max_body_bytes", in: 0...1_099_511_627_776) ?? maxBodyByteCount
        headerTimeout = reader.seconds("header_timeout_seconds", in: timeouts) ?? headerTimeout
        bodyTimeout = reader.seconds("body_timeout_seconds", in: timeouts) ?? bodyTimeout
        idleTimeout = reader.seconds("idle_timeout_seconds", in: timeouts) ?? idleTimeout
        writeTimeout = reader.seconds("write_timeout_seconds", in: timeouts) ?? writeTimeout
        reader.finish()
    }
}
