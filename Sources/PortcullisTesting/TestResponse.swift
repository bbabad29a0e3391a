// SPDX-License-Identifier: MIT

public import PortcullisHTTP
public import PortcullisJOSE
import PortcullisServer
import PortcullisTransport
import Synchronization

/// A response with its whole content.
public struct TestResponse: Sendable {
    /// The status.
    public let status: Status
    /// The fields, without those that belong to a connection.
    public let fields: Fields
    /// The content; of a stream, all pieces; empty in answers to `HEAD`.
    public let content: [UInt8]

    /// The content as text.
    public var text: String { String(decoding: content, as: UTF8.self) }

    /// The content as JSON.
    ///
    /// - Throws: `JSONError` if it is not strict JSON.
    public func json() throws -> JSONValue { try JSONValue.parse(content) }

    init(_ response: Response, to method: Method) async throws {
        status = response.status
        fields = response.fields
        switch response.body {
        case _ where method == .head || response.status.forbidsContent: content = []
        case .bytes(let bytes): content = bytes
        case .file(let file): content = try Self.content(of: file)
        case .stream(let write):
            let collector = Collector()
            do {
                try await write(ResponseBodyWriter(sink: collector))
            } catch  where collector.isCut {
                // The server closes the connection without an error of its own.
            }
            content = collector.bytes
        }
    }

    private static func content(of file: OpenFile) throws -> [UInt8] {
        var content = [UInt8](repeating: 0, count: file.byteCount)
        var count = 0
        while count < content.count {
            let read = content.withUnsafeMutableBytes {
                file.read(at: count, into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
            }
            // As in a server, a file that has become shorter is an error.
            guard read > 0 else { throw RequestBodyError.connectionClosed }
            count += read
        }
        return content
    }

    private final class Collector: BodySink {
        private let state = Mutex((bytes: [UInt8](), isCut: false))

        var bytes: [UInt8] { state.withLock { $0.bytes } }
        var isCut: Bool { state.withLock { $0.isCut } }

        func write(_ bytes: [UInt8]) async throws {
            guard !isCut else { throw RequestBodyError.connectionClosed }
            state.withLock { $0.bytes += bytes }
        }

        func begin() async {}

        func cut() async { state.withLock { $0.isCut = true } }
    }
}
