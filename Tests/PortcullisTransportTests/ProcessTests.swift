// SPDX-License-Identifier: MIT

import PortcullisTransport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A pipe whose reader reads on demand.
private final class Pipe {
    let reader: Int32
    let writer: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        (reader, writer) = (ends[0], ends[1])
        #expect(fcntl(reader, F_SETFL, O_NONBLOCK) == 0)
    }

    deinit {
        close(reader)
        close(writer)
    }

    /// All bytes in the pipe.
    func contents() -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(reader, &piece, piece.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece.prefix(count)
        }
    }

    /// Fills the pipe.
    func fill() {
        #expect(fcntl(writer, F_SETFL, O_NONBLOCK) == 0)
        let piece = [UInt8](repeating: 0x78, count: 4096)
        while write(writer, piece, piece.count) > 0 {}
        while write(writer, piece, 1) > 0 {}
        #expect(fcntl(writer, F_SETFL, 0) == 0)
    }
}

@Suite("Lines on standard error")
struct LineDescriptorTests {
    @Test func `a message is a line`() throws {
        let pipe = try Pipe()
        let lines = LineDescriptor(pipe.writer)
        lines.write("one")
        lines.write(String(repeating: "a", count: 10_000))
        #expect(pipe.contents() == "one\n" + String(repeating: "a", count: 10_000) + "\n")
    }

    @Test(.timeLimit(.minutes(1)))
    func `a reader that has stopped blocks no writer, and the number of dropped lines is reported`() throws {
        let pipe = try Pipe()
        let lines = LineDescriptor(pipe.writer)
        pipe.fill()
        for _ in 0..<3 { lines.write("lost") }
        _ = pipe.contents()
        lines.write("there")
        lines.write("again")
        #expect(pipe.contents() == "3 lines were dropped\nthere\nagain\n")
    }

    @Test(.timeLimit(.minutes(1)))
    func `a partly written line is ended before the next`() throws {
        let pipe = try Pipe()
        let lines = LineDescriptor(pipe.writer)
        lines.write(String(repeating: "a", count: 1_048_576))
        #expect(pipe.contents().allSatisfy { $0 == "a" })
        lines.write("there")
        #expect(pipe.contents() == "\n1 line was dropped\nthere\n")
    }

    @Test func `a pipe without a reader raises no signal`() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        LineDescriptor(ends[1]).write("lost")
        #expect(!StandardDescriptors.writeAll("lost", to: ends[1]))
        LineDescriptor(-1).write("lost")
        #expect(!StandardDescriptors.writeAll("lost", to: -1))
    }
}

@Suite("Command-line arguments")
struct ProgramArgumentsTests {
    @Test(
        arguments: [
            ("program\0", []), ("program\0a\0\0b c\0", ["a", "", "b c"]),
            ("", nil), ("\0", nil), ("\0a\0", nil), ("program", nil), ("program\0a", nil),
        ] as [(String, [String]?)])
    func `a list without a program name, or without its end, is refused`(
        list: String, words: [String]?
    ) throws {
        var template = Array("/tmp/portcullis-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
        let file = mkstemp(&template)
        try #require(file >= 0)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        #expect(write(file, list, list.utf8.count) == list.utf8.count)
        close(file)
        #expect(ProgramArguments.read(from: path) == words)
    }

    @Test func `an unreadable list is refused`() {
        #expect(ProgramArguments.read(from: "/nonexistent/cmdline") == nil)
        #expect(ProgramArguments.words([]) == nil)
        #expect(ProgramArguments.words(["", "a"]) == nil)
        #expect(ProgramArguments.words(["program"]) == [])
    }

    @Test func `this process has arguments or an empty list`() {
        #expect(ProgramArguments.read() != nil)
    }
}
