// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("RFC 9112 §7.1 Chunked coding")
struct RFC9112_7_1_ChunkedCoding {
    private func decode(_ text: String, limits: WireLimits = WireLimits()) -> Result<String, MalformedMessage>
    {
        let bytes = Array(text.utf8)
        let whole = decodeChunked(bytes, limits: limits)
        for count in [1, 2, 3, 7] {
            let pieces = decodeChunked(bytes, pieceByteCount: count, limits: limits)
            #expect(summary(pieces) == summary(whole))
        }
        return whole.map { $0.finished ? String(decoding: $0.body, as: UTF8.self) : "unfinished" }
    }

    private func summary(
        _ result: Result<(body: [UInt8], consumed: Int, finished: Bool), MalformedMessage>
    ) -> String {
        switch result {
        case .success(let value): "\(value)"
        case .failure(let reason): "\(reason)"
        }
    }

    @Test func `the data of all chunks is returned in order`() {
        #expect(decode("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n") == .success("hello, world"))
        #expect(decode("0\r\n\r\n") == .success(""))
        #expect(decode("A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n") == .success("0123456789abcdefghij"))
        #expect(decode("5\r\nhello\r\n0\r\n") == .success("unfinished"))
    }

    @Test func `bytes after the end are not consumed`() {
        guard case .success(let result) = decodeChunked(Array("1\r\na\r\n0\r\n\r\nGET /".utf8)) else {
            Issue.record("refused")
            return
        }
        #expect(result.consumed == 11)
        #expect(result.finished)
    }

    @Test func `data is returned as slices of the input`() throws {
        var decoder = ChunkedDecoder(limits: WireLimits())
        let input = Array("5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
        var offsets: [Range<Int>] = []
        _ = try input.withUnsafeBytes { buffer in
            try decoder.decode(buffer) { piece in
                guard let base = buffer.baseAddress, let start = piece.baseAddress else { return }
                offsets.append((start - base)..<(start - base + piece.count))
            }
        }
        #expect(offsets == [3..<8, 13..<16])
    }

    @Test(arguments: [
        "8000000000000000", "ffffffffffffffff", "10000000000000000", "ffffffffffffffffffff", "-1", "+1",
        "0x1", " 1", "1 ", "", "g",
    ])
    func `a size that overflows or is not a number is refused`(size: String) {
        #expect(decode("\(size)\r\nx\r\n0\r\n\r\n") == .failure(.invalidChunk))
    }

    @Test func `the largest size is accepted`() {
        #expect(decode("7fffffffffffffff\r\nx") == .success("unfinished"))
    }

    @Test(arguments: [
        "1\nx\r\n0\r\n\r\n", "1\rx\r\n0\r\n\r\n", "1\r\nx\n0\r\n\r\n", "1\r\nx\r0\r\n\r\n",
        "1\r\nxy\r\n0\r\n\r\n", "2\r\nx\r\n0\r\n\r\n", "0\n\r\n",
    ])
    func `every line and every chunk ends with CRLF`(body: String) {
        #expect(decode(body) == .failure(.invalidChunk))
    }

    @Test(arguments: [
        ";a", ";a=b", ";a=\"b\"", ";a=\"\\\"\\\\\"", " ; a = b", ";a;b;c=d", ";a=\"b\" ;c", ";a=\"\"",
        "\t;\ta",
    ])
    func `§7.1.1: well-formed extensions are dropped`(extensions: String) {
        #expect(decode("1\(extensions)\r\nx\r\n0\(extensions)\r\n\r\n") == .success("x"))
    }

    @Test(arguments: [
        ";", ";;a", ";=b", ";a=", ";a=b=c", ";a b", ";a=\"b", ";a=\"b\"c", ";a ", ";a=b ", " ", " a",
        ";a=\u{7F}", ";a=\"\u{0}\"", ";a\n",
    ])
    func `§7.1.1: malformed extensions are refused`(extensions: String) {
        #expect(decode("1\(extensions)\r\nx\r\n0\r\n\r\n") == .failure(.invalidChunk))
    }

    @Test func `§7.1.1: overhead just below, at and beyond its limit`() {
        let limits = WireLimits(maxChunkOverheadByteCount: 10)
        for (count, isRefused) in [(9, false), (10, false), (11, true)] {
            let extensions = ";" + String(repeating: "e", count: count - 1)
            let expected: Result<String, MalformedMessage> =
                isRefused ? .failure(.chunkOverheadTooLarge) : .success("x")
            #expect(decode("1\(extensions)\r\nx\r\n0\r\n\r\n", limits: limits) == expected)
            let half = ";" + String(repeating: "e", count: count / 2 - 1)
            let rest = ";" + String(repeating: "e", count: count - count / 2 - 1)
            #expect(decode("1\(half)\r\nx\r\n0\(rest)\r\n\r\n", limits: limits) == expected)
        }
    }

    @Test func `§7.1.1: superfluous zeros count as overhead`() {
        let limits = WireLimits(maxChunkOverheadByteCount: 10)
        let zeros = String(repeating: "0", count: 25)
        #expect(decode("\(zeros)1\r\nx\r\n0\r\n\r\n", limits: limits) == .success("x"))
        #expect(decode("0\(zeros)1\r\nx\r\n0\r\n\r\n", limits: limits) == .failure(.chunkOverheadTooLarge))
    }

    @Test func `§7.1.1: every 64 KiB of data allow more overhead`() {
        let limits = WireLimits(maxChunkOverheadByteCount: 10)
        let data = String(repeating: "d", count: 65_536)
        let first = "10000;eeeeeeeee\r\n\(data)\r\n"
        #expect(decode(first + "1;eeeeeeeee\r\nx\r\n0\r\n\r\n", limits: limits) == .success(data + "x"))
        #expect(
            decode(first + "1;eeeeeeeeee\r\nx\r\n0\r\n\r\n", limits: limits)
                == .failure(.chunkOverheadTooLarge))
    }

    @Test func `the framing of small chunks is not overhead`() {
        let limits = WireLimits(maxChunkOverheadByteCount: 0)
        let body = String(repeating: "1\r\nx\r\n", count: 3000)
        #expect(decode(body + "0\r\n\r\n", limits: limits) == .success(String(repeating: "x", count: 3000)))
    }
}

@Suite("RFC 9112 §7.1.2 Trailers")
struct RFC9112_7_1_2_Trailers {
    private func refusal(_ trailers: String, limits: WireLimits = WireLimits()) -> MalformedMessage? {
        let bytes = Array("0\r\n\(trailers)\r\n".utf8)
        if case .failure(let reason) = decodeChunked(bytes, limits: limits) {
            if case .failure(reason) = decodeChunked(bytes, pieceByteCount: 1, limits: limits) {
                return reason
            }
            Issue.record("Depends on the split")
        }
        return nil
    }

    @Test func `well-formed trailers are dropped`() {
        #expect(refusal("X-A: b\r\nX-B:\r\n") == nil)
    }

    @Test(arguments: [
        "X\r\n", "X A: b\r\n", " X: b\r\n", "X: a\r\n b\r\n", "X: \u{0}\r\n", "X: a\n", "X: a\rb\r\n",
        ": a\r\n",
    ])
    func `malformed trailers are refused`(trailers: String) {
        #expect(refusal(trailers) == .invalidTrailer)
    }

    @Test(arguments: [
        "Content-Length", "transfer-encoding", "Host", "Authorization", "DPoP", "Connection", "Expect",
    ])
    func `RFC 9110 §6.5.1: a trailer that frames, routes or authorizes is refused`(name: String) {
        #expect(refusal("\(name): 1\r\n") == .invalidTrailer)
    }

    @Test func `size just below, at and beyond its limit`() {
        let limits = WireLimits(maxTrailerByteCount: 20)
        for (count, isRefused) in [(19, false), (20, false), (21, true)] {
            let trailer = "X: " + String(repeating: "v", count: count - 7) + "\r\n"
            #expect((refusal(trailer, limits: limits) == .invalidTrailer) == isRefused)
        }
    }

    @Test func `number just below, at and beyond its limit`() {
        let limits = WireLimits(maxTrailerFieldCount: 2)
        #expect(refusal("A:\r\n", limits: limits) == nil)
        #expect(refusal("A:\r\nB:\r\n", limits: limits) == nil)
        #expect(refusal("A:\r\nB:\r\nC:\r\n", limits: limits) == .invalidTrailer)
    }
}

@Suite("RFC 9112 §7.1 Encoding chunks")
struct RFC9112_7_1_Encoding {
    @Test(arguments: [1, 9, 10, 15, 16, 17, 255, 256, 4095, 65_536])
    func `encoded data decodes to itself`(count: Int) {
        let data = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var output: [UInt8] = []
        ChunkEncoder.appendChunk(data, to: &output)
        #expect(output.starts(with: Array((String(count, radix: 16) + "\r\n").utf8)))
        ChunkEncoder.appendLastChunk(to: &output)
        #expect((try? decodeChunked(output).get())?.body == data)
    }

    @Test func `no bytes make no chunk, because an empty chunk would end the body`() {
        var output: [UInt8] = []
        ChunkEncoder.appendChunk([], to: &output)
        #expect(output.isEmpty)
    }
}
