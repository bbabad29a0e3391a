// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE
import PortcullisServer

/// `portcullis explain`: runs a request with a token through a configuration's gate and prints each step.
package enum ExplainCommand: Subcommand {
    package static let name = "explain"
    package static let summary = "explains why a configuration file admits or refuses a request with a token"
    package static let usage = """
        usage: portcullis explain --config FILE --token TOKEN [--method GET] [--url URL] [--dpop PROOF]
                                  [--header "NAME: VALUE"]... [--json]
               portcullis explain --config FILE --no-token [--method GET] [--url URL]
                                  [--header "NAME: VALUE"]... [--json]
               portcullis explain --request-id ID --log FILE [--config FILE] [--json]

        Prints each step of the gate, what it expects and what the request has, and the exact response
        that a client would get. With --token - the token is read from standard input, which keeps it
        out of the process list. Keys are fetched and tokens introspected as the file says; the token
        is sent nowhere else. The default URL is the file's first resource. The shared store is not
        used, so that an explained proof can still be used once. Steps after a refusal are judged too,
        where possible: (ok) would pass, (no) would refuse. The first refusal decides. --header adds a
        field, for routes whose operations are told by fields; --no-token explains what a request
        without a token gets.

        For a refused token it prints the least change of the file that makes the token acceptable, as
        a JSON fragment ("suggest"), or why no setting would be sound ("unsound"). The advice depends
        on the token, which may be forged: read it before you follow it.

        With --request-id (an X-Request-Id) it finds and explains the line of an access log, text or
        JSON. With --log - the log is read from standard input. Nothing is sent. With --config the
        advice names the resource of that file.

        """

    package static func work(for words: [String]) throws(Misuse) -> Work {
        let words = try CommandLineWords(
            words, flags: ["--all", "--json", "--no-token"], options: Set(requestOptions + logOptions),
            repeatable: ["--header"])
        if let word = words.operands.first {
            throw Misuse("\(Self.named(word)): each word must belong to an option, such as --url or --token")
        }
        if let work = try searching(words) { return work }
        guard let path = words.value(of: "--config") else { throw Misuse("--config is missing") }
        let named = words.value(of: "--token")
        guard (named == nil) == words.has("--no-token") else {
            throw Misuse(named == nil ? "--token is missing" : "--token and --no-token exclude each other")
        }
        let call: @Sendable (String) throws(Misuse) -> ExplainedCall = { (url) throws(Misuse) in
            try ExplainedCall(
                method: words.value(of: "--method") ?? "GET", url: url,
                token: named == "-" ? readLine() ?? "" : named, proof: words.value(of: "--dpop"),
                headers: words.values(of: "--header"))
        }
        // Invalid arguments are reported before any file is read.
        var given: ExplainedCall?
        if let url = words.value(of: "--url") { given = try call(url) }
        let first = given
        let asJSON = words.has("--json")
        return { console in await run(path, first, call, asJSON: asJSON, console) }
    }

    /// Names an argument that nothing expects; one that may be a token is not repeated.
    private static func named(_ word: String) -> String {
        let isShort = word.utf8.count <= 24 && !word.utf8.starts(with: "ey".utf8)
        return isShort ? "unexpected argument \"\(TerminalText.printable(word))\"" : "unexpected argument"
    }

    private static let requestOptions = ["--config", "--token", "--method", "--url", "--dpop"]
    private static let logOptions = ["--request-id", "--log"]

    /// Returns the search of a log, or `nil` if the arguments name none.
    private static func searching(_ words: CommandLineWords) throws(Misuse) -> Work? {
        guard logOptions.contains(where: { words.value(of: $0) != nil }) else { return nil }
        let others = requestOptions.filter { $0 != "--config" && words.value(of: $0) != nil }
        let flag = words.has("--no-token") ? ["--no-token"] : []
        let headers = words.values(of: "--header").isEmpty ? [] : ["--header"]
        if let other = (others + flag + headers).first {
            throw Misuse("\(other) cannot be combined with --request-id and --log")
        }
        guard let id = words.value(of: "--request-id") else { throw Misuse("--request-id is missing") }
        guard let path = words.value(of: "--log") else { throw Misuse("--log is missing") }
        let file = words.value(of: "--config")
        let asJSON = words.has("--json")
        return { console in explain(id: id, in: path, by: file, asJSON: asJSON, console) }
    }

    private static func run(
        _ path: String, _ given: ExplainedCall?, _ call: @Sendable (String) throws(Misuse) -> ExplainedCall,
        asJSON: Bool, _ console: Console
    ) async -> Outcome {
        do throws(InvalidConfiguration) {
            let file = try ConfigurationFile(path: path)
            // A proof is older than this process, which uses up none.
            let resources = try file.makeResources(
                relativeTo: path, remembering: ProofMemories(since: MonotonicInstant(nanoseconds: 0)),
                onEvent: { console.writeError("\($0)\n") })
            var routes = Routes()
            file.declare(&routes, guarding: resources)
            guard let table = try? RoutingTable(routes),
                let request = try? given ?? call(resources[0].identifier.text)
            else {
                console.writeError(
                    "the resource's URL \(resources[0].identifier) is not a valid request target; give --url\n"
                )
                return .trouble
            }
            return await explain(request, table, file, asJSON: asJSON, console)
        } catch {
            for finding in error.findings { console.writeError("\(finding)\n") }
            return .trouble
        }
    }

    private static func explain(
        _ request: ExplainedCall, _ table: RoutingTable, _ file: ConfigurationFile, asJSON: Bool,
        _ console: Console
    ) async -> Outcome {
        let route = table.destination(request.head.method, authority: request.authority, request.path).route
        guard let gate = route.gate else {
            if asJSON {
                let report: JSONObject = [
                    "resource": .null, "route": .string(route.name), "suggestion": .null,
                ]
                console.writeJSON(String(decoding: report.serialized(), as: UTF8.self) + "\n")
            } else {
                console.write("No resource guards this URL; its route is: \(route.name)\n")
            }
            return .success
        }
        let explanation = await gate.resource.explain(
            request.head, requiring: gate.requirement, judgingAllSteps: true)
        let identifier = gate.resource.identifier.text
        let advice = Advice(
            explanation.suggestion(knowing: file.untrustedIssuers), for: file.index(ofResource: identifier),
            named: identifier, in: file.document)
        let report = ExplainReport(
            explanation: explanation, resource: identifier, route: route.name,
            unmatchedStatus: route.unmatchedStatus, advice: advice)
        if asJSON {
            console.writeJSON(String(decoding: report.json.serialized(), as: UTF8.self) + "\n")
        } else {
            console.write(report.text)
        }
        if case .success = explanation.decision { return .success }
        return .failure
    }
}

extension ConfigurationFile {
    /// The issuers with an entry that no resource trusts.
    var untrustedIssuers: [String] {
        let trusted = resources.flatMap(\.issuers).map(\.issuer)
        return authorizationServers.map(\.issuer).filter { issuer in
            !trusted.contains { $0.utf8.elementsEqual(issuer.utf8) }
        }
    }

    /// The index of the resource with an identifier, or `nil`.
    func index(ofResource identifier: String) -> Int? {
        resources.firstIndex { $0.metadata.resource.text.utf8.elementsEqual(identifier.utf8) }
    }
}
