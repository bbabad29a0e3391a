// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration

extension ExplainCommand {
    /// Finds the lines of an access log that are about one request, and says what they mean.
    ///
    /// Nothing is sent anywhere.
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
            console.writeError("the log \(error.message)\n")
            return .trouble
        }
        if skippedCount > 0 {
            let lines = skippedCount == 1 ? "1 line" : "\(skippedCount) lines"
            console.writeError(
                "the log has \(lines) of more than \(LogSearch.maxLineByteCount) bytes, which nobody looked at\n"
            )
        }
        guard count > 0 else {
            console.writeError("the log has no line of an access log with this request identifier\n")
            return .failure
        }
        return .success
    }

    private static func text(of request: LoggedRequest, line number: Int) -> String {
        let subject = TerminalText.printable(request.request ?? "a message that was not understood")
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
        guard let refusal = request.refusal else { return text + ending(request) }
        text += "\nRefused: \(TerminalText.printable(refusal))"
        guard let reason = request.reason else {
            return text + ", a reason that this version does not know.\n"
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
            return "\nThe connection ended before there was an answer.\n"
        }
        let rest = request.isComplete ? "" : " The answer was cut short."
        return request.resource == nil
            ? "\nAnswered with \(status); no resource guards this path, or the message was refused before.\(rest)\n"
            : "\nThe gate did not refuse it. Answered with \(status).\(rest)\n"
    }

    /// What the client was told: never as much as the log knows.
    private static func told(_ reason: RefusalReason, _ status: Int?) -> String {
        let (usual, error) = reason.outcome
        let code = "\(status ?? usual)"
        guard let error else {
            return code + (usual == 401 ? " and where the metadata is, without an error code" : "")
        }
        // RFC 9396 has no error code; which one is told is the file's choice.
        if reason == .insufficientAuthorizationDetails {
            return "\(code) insufficient_scope, or \(error) if the file says so"
        }
        return "\(code) \(error)" + (reason.publicDescription.map { ": \($0)" } ?? "")
            + (usual == 503 ? ", to come back later; no challenge" : "")
    }
}
