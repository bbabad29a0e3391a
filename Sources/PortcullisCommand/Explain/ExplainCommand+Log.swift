// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisHTTP
import PortcullisJOSE

extension ExplainCommand {
    /// Finds the lines of an access log with a request ID, and explains them.
    ///
    /// Sends nothing.
    static func explain(
        id: String, in path: String, by configuration: String?, asJSON: Bool, _ console: Console
    ) -> Outcome {
        var count = 0
        let skippedCount: Int
        let file: DeclaredFile?
        do throws(InvalidConfiguration) {
            file = try configuration.map { (path) throws(InvalidConfiguration) in try DeclaredFile(path) }
        } catch {
            for finding in error.findings { console.writeError("\(finding)\n") }
            return .trouble
        }
        do throws(InputFile.Unreadable) {
            skippedCount = try LogSearch.lines(of: path) { number, line in
                guard let request = LoggedRequest(line, id: id) else { return }
                let advice = advice(about: request, file)
                if asJSON {
                    let json = json(of: request, line: number, advice)
                    console.writeJSON(String(decoding: json.serialized(), as: UTF8.self) + "\n")
                } else {
                    console.write((count == 0 ? "" : "\n") + text(of: request, line: number, advice))
                }
                count += 1
            }
        } catch {
            console.writeError("the log \(path) \(error.message)\n")
            return .trouble
        }
        if skippedCount > 0 {
            let lines = skippedCount == 1 ? "1 line" : "\(skippedCount) lines"
            console.writeError(
                "skipped \(lines) of more than \(LogSearch.maxLineByteCount) bytes in the log\n")
        }
        guard count > 0 else {
            console.writeError("\(path): no line of an access log has the request ID \(id)\n")
            return .failure
        }
        return .success
    }

    private static func text(of request: LoggedRequest, line number: Int, _ advice: Advice) -> String {
        let subject = TerminalText.printable(request.request ?? "a malformed request")
        var text = "line \(number): \(subject)\n"
        func add(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            let gap = String(repeating: " ", count: 10 - name.utf8.count)
            text += name + ":" + gap + TerminalText.printable(value) + "\n"
        }
        add("time", request.time)
        add("client", request.client)
        add("resource", request.resource)
        add("route", request.route)
        add("asked at", request.forwardAuth)
        add("duration", request.duration.map { "\($0) s" })
        guard let refusal = request.refusal else {
            if request.resource != nil, request.status != nil { add("repair", "none: the gate admitted it") }
            return text + ending(request)
        }
        text += "\nRefused: \(TerminalText.printable(refusal))"
        if let malformation = MalformedMessage(rawValue: refusal) {
            return text + ": \(malformation). The server refused the message before the gate.\n"
        }
        guard let reason = request.reason else {
            return text + ", a reason unknown to this version.\n"
        }
        let step = reason.step(isIntrospected: false)
        text += ", at the step: \(step.name) (\(step.clause)).\n"
        add("expected", request.expected)
        add("got", request.got)
        add("told", told(reason, request.status))
        add("repair", reason.remedy)
        return text
            + advice.text(labelWidth: 11).split(separator: "\n").map {
                TerminalText.printable(String($0)) + "\n"
            }.joined()
    }

    private static func json(
        of request: LoggedRequest, line number: Int, _ advice: Advice
    ) -> JSONObject {
        var json: JSONObject = ["line": .number(JSONNumber(number))]
        func add(_ name: String, _ value: String?) { json[name] = value.map(JSONValue.string) }
        add("request", request.request)
        add("time", request.time)
        add("client", request.client)
        add("resource", request.resource)
        add("route", request.route)
        if request.forwardAuth != nil { add("forward_auth", request.forwardAuth) }
        json["status"] = request.status.map { .number(JSONNumber($0)) }
        add("refusal", request.refusal)
        add("step", request.reason?.step(isIntrospected: false).name)
        add("clause", request.reason?.step(isIntrospected: false).clause)
        add("expected", request.expected)
        add("got", request.got)
        add("told", request.reason.map { told($0, request.status) })
        add("repair", request.reason?.remedy)
        for member in advice.members.members { json[member.name] = member.value }
        return json
    }

    /// What would have made the logged request acceptable.
    ///
    /// The line tells what one step found; the file, if there is one, what the resource declares.
    private static func advice(about request: LoggedRequest, _ file: DeclaredFile?) -> Advice {
        let name = request.resource ?? ""
        let index = file?.file.index(ofResource: name)
        let document = file?.file.document ?? JSONObject()
        guard let reason = request.reason, let expected = request.expected, let got = request.got,
            let rules = index.flatMap({ file?.rules[$0] })
                ?? (try? ResourceIdentifier(validating: name)).map({
                    DeclaredRules(resource: $0, now: TimeSource.system.now())
                })
        else { return Advice(nil, for: nil, named: name, in: document) }
        let diagnosis = Diagnosis(logged: reason, expected: expected, got: got, by: rules)
        return Advice(
            diagnosis.suggestion(knowing: file?.file.untrustedIssuers ?? []), for: index, named: name,
            in: document)
    }

    /// A configuration file, and what its resources declare.
    private struct DeclaredFile {
        let file: ConfigurationFile
        let rules: [DeclaredRules]

        init(_ path: String) throws(InvalidConfiguration) {
            file = try ConfigurationFile(path: path)
            rules = try file.makeResources(relativeTo: path, onEvent: { _ in }).map(\.declaredRules)
        }
    }

    private static func ending(_ request: LoggedRequest) -> String {
        guard let status = request.status else {
            return "\nThe connection ended before the response.\n"
        }
        let rest = request.isComplete ? "" : " The response was incomplete."
        return request.resource == nil
            ? "\nStatus \(status). No resource guards this path, or it was refused before the gate.\(rest)\n"
            : "\nThe gate admitted the request. Status \(status).\(rest)\n"
    }

    /// The status, error code and public text that the client received.
    private static func told(_ reason: RefusalReason, _ status: Int?) -> String {
        let (usual, error) = reason.outcome
        let code = "\(status ?? usual)"
        guard let error else {
            return code + (usual == 401 ? " with resource_metadata, without an error code" : "")
        }
        // RFC 9396 defines no error code; the configuration chooses one.
        if reason == .insufficientAuthorizationDetails {
            return "\(code) insufficient_scope, or \(error) if the configuration says so"
        }
        return "\(code) \(error)" + (reason.publicDescription.map { ": \($0)" } ?? "")
            + (usual == 503 ? ", with Retry-After, without a challenge" : "")
    }
}
