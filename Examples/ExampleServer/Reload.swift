// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisRedis
import PortcullisServer
import PortcullisTransport

/// A configuration file with its resources, TLS settings and store.
struct ServableFile {
    private(set) var file: ConfigurationFile
    private var resources: [ProtectedResource]
    private var proxies: ConfiguredProxies
    let connections: IssuerConnections
    let selfCheckFetcher: HTTPClientFetcher?
    /// `nil`: the file configures no TLS.
    let tls: Server.TLS?
    let memories: ProofMemories
    /// The owner of the Unix domain socket's file; `nil`: the process's own user and group.
    let socketOwner: FileOwner?
    /// `nil`: the file configures no store.
    let store: SharedStore?
    /// Whether the file names another store than the one in use.
    let ignoresStore: Bool

    /// Reads a file and creates its resources.
    ///
    /// - Parameters:
    ///   - previous: The configuration in use, whose fetched keys and records of DPoP proofs are kept.
    ///   - metrics: Counts the events of the resources.
    ///   - isServed: Whether to use the shared store; `false` to check a file without connecting.
    init(
        _ path: String, succeeding previous: ServableFile? = nil, counting metrics: MetricsRegistry,
        isServed: Bool = true
    ) throws(InvalidConfiguration) {
        // A reload leaves the other cores to the event loops.
        let cores = previous == nil ? EventLoopGroup.coreCount : 1
        var file = try SeparateThread.run {
            Result { () throws(InvalidConfiguration) in try ConfigurationFile(path: path, onCores: cores) }
        }.get()
        let connections = IssuerConnections(succeeding: previous?.connections)
        let tls = Result { () throws(InvalidConfiguration) in try file.makeTLS(relativeTo: path) }
        memories = ProofMemories(succeeding: previous?.memories)
        let memories = memories
        // Another store lacks the records of the present one, so a proof could be used twice.
        let ignoresStore = previous.map { !file.hasStoreAtSamePlace(as: $0.store) } ?? false
        self.ignoresStore = ignoresStore
        let tell: @Sendable (RedisEvent) -> Void = { log($0.description) }
        let made = Result { () throws(InvalidConfiguration) in
            try file.makeStore(relativeTo: path, onEvent: isServed && !ignoresStore ? tell : nil)
        }
        let store = ignoresStore ? previous?.store : (try? made.get())
        self.store = store
        let storeInUse = isServed ? store : nil
        let resources = Result { () throws(InvalidConfiguration) in
            try file.makeResources(
                relativeTo: path, sharing: connections, remembering: memories, storingIn: storeInUse,
                onEvent: { event in
                    metrics.count(event)
                    // The server logs this event itself.
                    if case .documentChanged = event { return }
                    log(event.description)
                })
        }
        let owner = Result { [file] () throws(InvalidConfiguration) in try file.makeSocketOwner() }
        let proxies = Result { [file] () throws(InvalidConfiguration) in
            let gatewayLog = GatewayLog(log)
            return try file.makeProxies(relativeTo: path) { gatewayLog.record($0) }
        }
        let problems =
            Self.findings(of: owner) + Self.findings(of: made) + Self.findings(of: tls)
            + Self.findings(of: resources) + Self.findings(of: proxies)
        guard problems.isEmpty else { throw InvalidConfiguration(findings: problems) }
        self.tls = try tls.get()
        socketOwner = try owner.get()
        self.resources = try resources.get()
        self.proxies = try proxies.get()
        self.connections = connections
        selfCheckFetcher = try file.makeSelfCheckFetcher(relativeTo: path)
        file.warnings += file.warningsOfOpenSecrets(relativeTo: path) + file.warningsOfEnvironment()
        if let tls = self.tls { file.warnings += file.warnings(of: tls) }
        self.file = file
    }

    private static func findings<Part>(of part: Result<Part, InvalidConfiguration>) -> [Finding] {
        if case .failure(let error) = part { error.findings } else { [] }
    }

    /// Returns the warnings, and keeps them no longer: there may be one for each resource.
    mutating func takeWarnings() -> [Finding] {
        defer { file.warnings = [] }
        return file.warnings
    }

    /// Returns the routes, and keeps nothing that only they need: a file may have thousands of resources.
    mutating func takeRoutes() -> Routes {
        var routes = Routes()
        file.declare(&routes, guarding: resources, passingTo: proxies)
        resources = []
        proxies = ConfiguredProxies()
        file = file.withoutDeclarations
        return routes
    }
}

/// Reloads the configuration file on request, and applies it to the server if it is valid.
actor Reloader {
    private let path: String
    private let server: Server
    private let accessLog: AccessLog?
    private let metrics: MetricsRegistry
    private var current: ServableFile

    init(
        _ path: String, _ server: Server, serving current: ServableFile, _ metrics: MetricsRegistry,
        _ accessLog: AccessLog? = nil
    ) {
        self.metrics = metrics
        self.path = path
        self.server = server
        self.current = current
        self.accessLog = accessLog
    }

    /// Reads the file and swaps metadata, routes, validation, keys and certificates.
    ///
    /// An invalid file changes nothing. Always reopens the access log, since log rotation sends the same
    /// signal.
    func reload() async {
        reopenLog()
        await apply()
        // Reading a file takes much more memory than what remains, whether the file is in use or not.
        FreeMemory.giveBack()
    }

    private func apply() async {
        do throws(InvalidConfiguration) {
            var next = try ServableFile(path, succeeding: current, counting: metrics)
            do throws(ConfigurationError) {
                try await server.replace(next.takeRoutes(), limits: next.file.serverLimits)
            } catch {
                return refuse(["\(error)"])
            }
            if let tls = next.tls, server.usesTLS { await server.replaceTLS(tls) }
            for key in next.file.changesForRestart(from: current.file) {
                log("reload: \(key) has changed; restart to apply it")
            }
            if next.ignoresStore {
                log("reload: $.store names another store; restart to apply it")
            }
            metrics.watch(next.store)
            say(next.takeWarnings())
            current = next
            log("reload: the file is in use")
        } catch {
            refuse(error.findings.map(\.description))
        }
    }

    private func reopenLog() {
        do throws(LogFileError) {
            try accessLog?.reopen()
        } catch {
            log("reload: the access log cannot be reopened: \(error); the old file stays in use")
        }
    }

    private func refuse(_ problems: [String]) {
        for problem in problems { log("reload: \(problem)") }
        log("reload: the file is invalid; the previous configuration stays in use")
    }
}

extension MetricsRegistry {
    /// Adds a gauge of the store's availability, if there is a store.
    func watch(_ store: SharedStore?) {
        guard let store else { return }
        addGauge("store_up", help: "Whether the shared store answers.") { [weak store] in
            store?.isAvailable == true ? 1 : 0
        }
    }
}
