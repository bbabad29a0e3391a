// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisHTTP

extension ExplainCommand {
    /// Finds the lines of an access log with a request ID, and explains them.
    ///
    /// Sends nothing.
    static func explain(id: String, in path: String, _ console: Console) -> Outcome {
        var count = 0
        let skippedCount: Int
        do throws(InputFile.Unreadable) {
            skippedCount = try LogSearch.lines(of: path) { number, line in
                guard let request = LoggedRequest(line, id: id) else { return }
                console.write((count == 0 ? "" : "\n") + text(of: request, line: number))
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

    private static func text(of request: LoggedRequest, line number: Int) -> String {
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
