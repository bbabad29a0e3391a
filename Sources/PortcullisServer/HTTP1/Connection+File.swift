// SPDX-License-Identifier: MIT

internal import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A file on its way to a client.
struct FileTransfer {
    let file: OpenFile
    var offset = 0
    /// How much has been sent since other connections had their turn.
    var sentInTurn = 0

    /// How much is sent in one turn of the loop.
    static let byteCountPerTurn = 1 << 20

    /// What is sent next.
    var part: Range<Int> {
        offset..<min(file.byteCount, offset + Self.byteCountPerTurn - sentInTurn)
    }
}

// A file follows the head of its answer once that has been sent, straight from the system's cache unless its bytes have to be encrypted.
extension Connection {
    /// Whether the bytes of files have to pass through here.
    private var copiesFiles: Bool { isEncrypted || !OpenFile.canSendDirectly }

    /// Sends more of a file, when all output has been sent.
    ///
    /// - Returns: Whether there is output again.
    func sendsMoreOfFile() -> Bool {
        while let transfer = pending?.file {
            guard transfer.offset < transfer.file.byteCount else {
                finishExchange()
                // Requests that came meanwhile.
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
                // The client has left, or the file is shorter than its length says.
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
