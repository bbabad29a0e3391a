// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

/// The state of an exchange whose response takes time: the task, its continuations, a file.
///
/// ``ConnectionState`` decides which of these are in use.
final class PendingExchange {
    /// The head of a streamed response, while it is withheld.
    var heldHead: ResponseHead?
    /// What else is sent with it.
    var relayed: RelayedHead?
    /// The framing of a streamed response.
    var framing = ResponseFraming.chunked
    /// The bytes that a declared length still promises.
    var missingByteCount = 0
    var task: Task<Void, Never>?
    /// The answer of another server, until its head has arrived.
    var relay: (any RelayedAnswer)?
    /// The route whose handler the task runs.
    var taskRoute: CompiledRoute?
    var bodyWaiter: CheckedContinuation<[UInt8]?, any Error>?
    var writeWaiters: [CheckedContinuation<Void, any Error>] = []
    /// The file that follows the head of the response.
    var file: FileTransfer?
}
