// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer
import PortcullisTransport

/// Prints all problems of a file, one per line, or that there are none, and exits.
func check(_ path: String) -> Never {
    guard let served = read(path, counting: MetricsRegistry(), isServed: false) else { exit(with: .failure) }
    for warning in served.file.warnings { log("\(warning)") }
    let count = served.file.warnings.count
    let warnings = count == 0 ? "" : count == 1 ? ", with 1 warning" : ", with \(count) warnings"
    log("\(path): the configuration is valid\(warnings)")
    // Exits with the resources in memory: to release thousands of them would take time for nothing.
    return withExtendedLifetime(served) { exit(with: .success) }
}

/// Serves a configuration file until SIGTERM or SIGINT.
func serve(_ path: String, _ address: Invocation.Address) async -> Outcome {
    let metrics = MetricsRegistry()
    guard var served = read(path, counting: metrics) else { return .failure }
    metrics.names = served.file.server.metricsNames
    metrics.watch(served.store)
    raiseDescriptorLimit()
    say(served.takeWarnings())
    let file = served.file.withoutDeclarations
    do {
        let accessLog = try file.makeAccessLog(relativeTo: path)
        let manager = serviceManager()
        var configuration = file.makeServerConfiguration(
            log: log, metrics: file.admin == nil ? nil : metrics, accessLog: accessLog)
        configuration.tls = served.tls
        configuration.selfCheck = file.selfCheck.policy
        configuration.selfCheckFetcher = served.selfCheckFetcher
        let loopCount = file.server.eventLoopCount
        let host = ConfigurationFile.listenerHost(file.server.host, relativeTo: path)
        let socket =
            try manager.socket(named: { $0 != "admin" }, loopCount: loopCount)
            ?? makeSocket(
                at: .init(object: "$.server"), address.host ?? host, address.port ?? file.server.port,
                permissions: file.server.unixSocketMode, owner: served.socketOwner, loopCount: loopCount)
        let server = try Server(validating: served.takeRoutes(), on: socket, configuration: configuration)
        // Reading the file took much more memory than what remains.
        FreeMemory.giveBack()
        let reloader = Reloader(path, server, serving: served, metrics, accessLog)
        var servers = [server]
        if let admin = file.admin {
            servers.append(
                try makeAdminServer(
                    admin, relativeTo: path, watching: server, through: served.selfCheckFetcher,
                    metrics: metrics, manager))
        }
        return await run(
            servers,
            onHangUp: {
                manager.notify(.reloading)
                await reloader.reload()
                manager.notify(.ready)
            }, onStopping: { manager.notify(.stopping) }
        ) { addresses in
            for (address, name) in zip(addresses, ["listening", "admin"]) {
                let scheme = name == "listening" && server.usesTLS ? "https" : "http"
                StandardOutput.write("\(name) on \(address.isUnix ? "" : scheme + "://")\(address)\n")
            }
            manager.notify(.ready)
        }
    } catch let error as InvalidConfiguration {
        for finding in error.findings { StandardError.write("\(finding)\n") }
        return .failure
    } catch {
        StandardError.write("\(error)\n")
        return .failure
    }
}

private func read(_ path: String, counting metrics: MetricsRegistry, isServed: Bool = true) -> ServableFile? {
    let work = SlowWork("still reading \(path) …")
    defer { work.end() }
    do throws(InvalidConfiguration) {
        return try ServableFile(path, counting: metrics, isServed: isServed)
    } catch {
        for finding in error.findings { StandardError.write("\(finding)\n") }
        return nil
    }
}

/// Runs servers until SIGTERM or SIGINT, or until one of them fails.
///
/// - Parameters:
///   - onHangUp: Called for SIGHUP, one call at a time; signals during a call count as one.
///   - onStopping: Called on SIGTERM and SIGINT.
///   - onListening: Called once, when all servers accept connections, with their addresses in order.
func run(
    _ servers: [Server], onHangUp: @escaping @Sendable () async -> Void = {},
    onStopping: @escaping @Sendable () -> Void = {},
    onListening: @escaping @Sendable ([SocketAddress]) -> Void
) async -> Outcome {
    let (addresses, announce) = AsyncStream.makeStream(of: (Int, SocketAddress).self)
    let work = Task {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, server) in servers.enumerated() {
                group.addTask { try await server.run { announce.yield((index, $0)) } }
            }
            // The first server that ends, by an error or by cancellation, ends all.
            defer { group.cancelAll() }
            try await group.next()
        }
    }
    let (hangUps, hangUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let stop: @Sendable () -> Void = {
        onStopping()
        // Until the process ends.
        _ = SlowWork("stopping: still waiting for requests in flight …")
        work.cancel()
    }
    let signals = handleSignals(stop: stop, hangUp: { hangUp.yield() })
    let reloading = Task { for await _ in hangUps { await onHangUp() } }
    let announcement = Task {
        var listening: [(Int, SocketAddress)] = []
        for await entry in addresses {
            listening.append(entry)
            if listening.count == servers.count { break }
        }
        if listening.count == servers.count { onListening(listening.sorted { $0.0 < $1.0 }.map(\.1)) }
    }
    defer {
        announce.finish()
        announcement.cancel()
        reloading.cancel()
        withExtendedLifetime(signals) {}
    }
    do {
        try await work.value
        return .success
    } catch is CancellationError {
        return .success
    } catch {
        StandardError.write("\(describe(error))\n")
        return .failure
    }
}

func describe(_ error: any Error) -> String {
    if error is Server.SelfCheckFailure {
        return "$.self_check: failed as logged above, and policy is \"require\"; the server does not start"
    }
    return error is ListenerFault ? "\(error)" : "the server failed: \(error)"
}

/// Logs the warnings that the server does not log itself: of many places with the same one, the first.
func say(_ warnings: [Finding]) {
    var said = RepeatedSentences()
    for warning in warnings where !warning.isSaidAtStart && said.admits(warning.message) {
        log("\(warning)")
    }
    for (message, count) in said.omitted {
        log("warning: \(count) more \(count == 1 ? "place" : "places"), which --check lists: \(message)")
    }
}

/// Writes an entry of a server's log to standard error.
func log(_ entry: Server.LogEntry) {
    log(entry.description)
}

/// Writes one line to standard error without blocking, since event loops call this too.
func log(_ sentence: String) {
    Server.logToStandardError(TerminalText.printable(sentence))
}
