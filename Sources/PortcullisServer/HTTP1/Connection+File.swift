// SPDX-License-Identifier: MIT

internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A file that is being sent to a client.
struct FileTransfer {
    let file: OpenFile
    var offset = 0
    /// The bytes sent since other connections had their turn.
    var sentInTurn = 0

    /// The most bytes sent in one turn of the loop.
    static let byteCountPerTurn = 1 << 20

    /// The range to send next.
    var part: Range<Int> {
        offset..<min(file.byteCount, offset + Self.byteCountPerTurn - sentInTurn)
    }
}

// A file follows the head of its response, directly from the system's cache unless it must be encrypted.
extension Connection {
    /// Whether file bytes must be copied through this process.
    private var copiesFiles: Bool { isEncrypted || !OpenFile.canSendDirectly }

    /// Sends more of a file, after all output has been sent.
    ///
    /// - Returns: Whether there is new output.
    func sendsMoreOfFile() -> Bool {
        while let transfer = pending?.file {
            guard transfer.offset < transfer.file.byteCount else {
                finishExchange()
                // Requests may have arrived meanwhile.
                continueLater()
                return false
            }
            guard !transfer.part.isEmpty else {
                pending?.file?.sentInTurn = 0
                continueLater()
                return false
            }
            let count = copiesFiles ? copy(transfer) : send(transfer)
            guard count > 0 else { return false }
            pending?.file?.offset += count
            pending?.file?.sentInTurn += count
            state.outputProgressed(loop.now)
            if copiesFiles { return true }
        }
        return false
    }

    private func send(_ transfer: FileTransfer) -> Int {
        while true {
            let count = transfer.file.send(transfer.part, to: descriptor)
            if count > 0 {
                output.note(count)
                return count
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
                waitUntilWritable()
            } else {
                // The client has left, or the file is shorter than its declared length.
                abort()
            }
            return 0
        }
    }

    private func copy(_ transfer: FileTransfer) -> Int {
        let buffer = context.readBuffer
        let wanted = UnsafeMutableRawBufferPointer(
            rebasing: buffer[..<min(buffer.count, transfer.part.count)])
        let count = transfer.file.read(at: transfer.offset, into: wanted)
        guard count > 0 else {
            abort()
            return 0
        }
        output.append(Array(wanted[..<count]))
        return count
    }
}
