// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer

/// `portcullis explain`: runs a request with a token through a configuration's gate and prints each step.
package enum ExplainCommand: Subcommand {
    package static let name = "explain"
    package static let summary = "explains why a configuration file admits or refuses a request with a token"
    package static let usage = """
        usage: portcullis explain --config FILE --token TOKEN [--method GET] [--url URL] [--dpop PROOF]
                                  [--all]
               portcullis explain --request-id ID --log FILE

        Prints each step of the gate, what it expects and what the request has, and the exact response
        that a client would get. With --token - the token is read from standard input, which keeps it
        out of the process list. Keys are fetched and tokens introspected as the file says; the token
        is sent nowhere else. The default URL is the file's first resource. The shared store is not
        used, so that an explained proof can still be used once. With --all, steps after a refusal are
        judged too, where possible: (ok) would pass, (no) would refuse. The first refusal decides.

        With --request-id (an X-Request-Id) it finds and explains the line of an access log, text or
        JSON. With --log - the log is read from standard input. Nothing is sent.

        """

    package static func work(for words: [String]) throws(Misuse) -> Work {
        let words = try CommandLineWords(
            words, flags: ["--all"], options: Set(requestOptions + logOptions))
        guard words.operands.isEmpty else {
            // Not echoed: it may be a token.
            throw Misuse("unexpected argument; each word must belong to an option")
        }
        if let work = try searching(words) { return work }
        guard let path = words.value(of: "--config") else { throw Misuse("--config is missing") }
        guard let named = words.value(of: "--token") else { throw Misuse("--token is missing") }
        let call: @Sendable (String) throws(Misuse) -> ExplainedCall = { (url) throws(Misuse) in
            try ExplainedCall(
                method: words.value(of: "--method") ?? "GET", url: url,
                token: named == "-" ? readLine() ?? "" : named, proof: words.value(of: "--dpop"))
        }
        // Invalid arguments are reported before any file is read.
        var given: ExplainedCall?
        if let url = words.value(of: "--url") { given = try call(url) }
        let first = given
        let judgesAllSteps = words.has("--all")
        return { console in await run(path, first, call, judgesAllSteps, console) }
    }

    private static let requestOptions = ["--config", "--token", "--method", "--url", "--dpop"]
    private static let logOptions = ["--request-id", "--log"]

    /// Returns the search of a log, or `nil` if the arguments name none.
    private static func searching(_ words: CommandLineWords) throws(Misuse) -> Work? {
        guard logOptions.contains(where: { words.value(of: $0) != nil }) else { return nil }
        if let other = requestOptions.first(where: { words.value(of: $0) != nil }) {
            throw Misuse("\(other) cannot be combined with --request-id and --log")
        }
        guard let id = words.value(of: "--request-id") else { throw Misuse("--request-id is missing") }
        guard let path = words.value(of: "--log") else { throw Misuse("--log is missing") }
        return { console in explain(id: id, in: path, console) }
    }

    private static func run(
        _ path: String, _ given: ExplainedCall?, _ call: @Sendable (String) throws(Misuse) -> ExplainedCall,
        _ judgesAllSteps: Bool, _ console: Console
    ) async -> Outcome {
        do throws(InvalidConfiguration) {
            let file = try ConfigurationFile(path: path)
            let resources = try file.makeResources(
                relativeTo: path, onEvent: { console.writeError("\($0)\n") })
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
            return await explain(request, table, judgesAllSteps, console)
        } catch {
            for finding in error.findings { console.writeError("\(finding)\n") }
            return .trouble
        }
    }

    private static func explain(
        _ request: ExplainedCall, _ table: RoutingTable, _ judgesAllSteps: Bool, _ console: Console
    ) async -> Outcome {
        let route = table.destination(request.head.method, authority: request.authority, request.path).route
        guard let gate = route.gate else {
            console.write("No resource guards this URL; its route is: \(route.name)\n")
            return .success
        }
        let explanation = await gate.resource.explain(
            request.head, requiring: gate.requirement, judgingAllSteps: judgesAllSteps)
        console.write("resource: \(gate.resource.identifier)\nroute: \(route.name)\n\n")
        for (index, step) in explanation.steps.enumerated() { console.write(text(of: step, index + 1)) }
        switch explanation.decision {
        case .success:
            console.write("\nThe request is admitted.\n")
            return .success
        case .failure(let refusal):
            console.write(
                "\nRefused: \(refusal.reason.rawValue). The response:\n\n" + text(of: refusal))
            return .failure
        }
    }

    private static func text(of step: Explanation.Step, _ number: Int) -> String {
        let mark =
            switch step.outcome {
            case .passed, .remembered: "ok  "
            case .failed: "FAIL"
            case .wouldPass: "(ok)"
            case .wouldFail: "(no)"
            default: "-   "
            }
        var text = "\(number < 10 ? " " : "")\(number) \(mark) \(step.name) (\(step.clause))\n"
        if let expected = step.expected { text += "        expected: \(expected)\n" }
        if let got = step.got { text += "        got:      \(got)\n" }
        if let reason = step.reason { text += "        repair:   \(reason.remedy)\n" }
        return text
    }

    private static func text(of refusal: Refusal) -> String {
        let head = refusal.head
        var lines = ["HTTP/1.1 \(head.status.description)"]
        lines += head.fields.map { "\($0.name.spelling): \($0.value)" }
        return lines.joined(separator: "\n") + "\n\n" + String(decoding: refusal.body, as: UTF8.self) + "\n"
    }
}
