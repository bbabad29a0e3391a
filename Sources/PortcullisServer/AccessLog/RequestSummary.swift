// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP

/// One request and its answer; only the method and ``finding`` contain anything from the client.
public struct RequestSummary: Sendable {
    /// The pattern of the route, or a fixed word for what has none.
    public var route: String
    /// The method, as the client spelled it.
    public var method: Method
    /// The status; nothing if the connection ended before there was one.
    public var status: Status?
    /// Whether the whole answer was handed to the connection.
    public var isComplete: Bool
    /// The time from the request's head to the end of the answer's making; not its way to the client.
    public var duration: Duration
    /// The bytes of head and content that were taken from the client.
    public var receivedByteCount: Int
    /// The bytes of head and content that were made for the client.
    public var sentByteCount: Int
    /// Why the gate refused, if it did.
    public var refusal: RefusalReason?
    /// What was wrong with the message itself, if the server refused it before or instead of the gate.
    public var malformation: MalformedMessage?
    /// What the gate expected and what there was, if it refused and somebody wants to know.
    ///
    /// Holds claims of the token: no label for a time series.
    public var finding: RefusalFinding?

    /// Whether the client used TLS, as far as trusted proxies tell.
    public var isEncrypted: Bool
    /// The version of HTTP, `1.1` or `1.0`; `nil` for a malformed head.
    public var protocolVersion: String?

    /// Makes a summary, for tests of a backend.
    public init(
        route: String, method: Method, status: Status?, isComplete: Bool, duration: Duration,
        receivedByteCount: Int = 0, sentByteCount: Int = 0, refusal: RefusalReason? = nil,
        finding: RefusalFinding? = nil, malformation: MalformedMessage? = nil, isEncrypted: Bool = false,
        protocolVersion: String? = "1.1"
    ) {
        self.route = route
        self.method = method
        self.status = status
        self.isComplete = isComplete
        self.duration = duration
        self.receivedByteCount = receivedByteCount
        self.sentByteCount = sentByteCount
        self.refusal = refusal
        self.finding = finding
        self.isEncrypted = isEncrypted
        self.protocolVersion = protocolVersion
        self.malformation = malformation
    }

    /// The stable code of the reason for a refusal, in the access log and in metrics: that of the gate, or of
    /// the message.
    package var refusalCode: String? { refusal?.rawValue ?? malformation?.code }
}
