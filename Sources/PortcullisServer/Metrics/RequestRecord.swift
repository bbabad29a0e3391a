// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport

/// What is known so far of a request that will be reported; made only where somebody wants reports.
struct RequestRecord {
    /// The route of a message that is wrong in itself.
    static let malformed = "malformed"

    var route = malformed
    let method: Method
    let begun: MonotonicInstant
    /// How much had been made for the client before.
    let sentBefore: Int
    var status: Status?
    var refusal: RefusalReason?
    var receivedByteCount: Int
}

extension Connection {
    /// Begins the record of a request, if there is a recorder.
    func beginRecord(_ method: Method, headByteCount: Int) {
        guard context.recorder != nil else { return }
        record = Record(
            RequestRecord(
                method: method, begun: loop.now, sentBefore: output.appendedByteCount,
                receivedByteCount: headByteCount))
    }

    func noteReceived(_ count: Int) {
        record?.value.receivedByteCount += count
    }

    /// Reports the request, whose answer has been made or will never be.
    func endRecord(isComplete: Bool) {
        guard let ended = record?.value else { return }
        record = nil
        context.recorder?.record(
            .requestFinished(
                RequestSummary(
                    route: ended.route, method: ended.method, status: ended.status, isComplete: isComplete,
                    duration: .now() - ended.begun, receivedByteCount: ended.receivedByteCount,
                    sentByteCount: output.appendedByteCount - ended.sentBefore, refusal: ended.refusal)))
    }
}

/// A record in a box, so that a connection without one has room for a pointer only.
final class Record {
    var value: RequestRecord

    init(_ value: RequestRecord) {
        self.value = value
    }
}
