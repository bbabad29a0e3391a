// SPDX-License-Identifier: MIT

import Dispatch
import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The lines that a log wrote.
final class Lines: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    func add(_ lines: [UInt8]) { bytes.withLock { $0 += lines } }

    var all: [String] {
        bytes.withLock { $0 }.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
    }

    var objects: [JSONObject] { all.compactMap { try? JSONValue.parse(Array($0.utf8)).object } }
}

@Suite("The access log's lines")
struct AccessLogLineTests {
    private static func line(
        _ status: Status? = .ok, path: String? = "/photos/7", refusal: RefusalReason? = nil,
        finding: RefusalFinding? = nil, isComplete: Bool = true
    ) -> AccessLogLine {
        AccessLogLine(
            RequestSummary(
                route: "/photos/{id}", method: .get, status: status, isComplete: isComplete,
                duration: .microseconds(1_002_030), receivedByteCount: 80, sentByteCount: 512,
                refusal: refusal, finding: finding),
            client: "192.0.2.1", path: path.map { Array($0.utf8)[...] }, id: "abc",
            resource: "https://api.example.com/photos")
    }

    private static func text(_ line: AccessLogLine, _ format: AccessLog.Format, at time: Double) -> String {
        var bytes: [UInt8] = []
        line.append(format, at: time, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `text is the Common Log Format followed by pairs`() {
        #expect(
            Self.text(Self.line(.unauthorized, refusal: .expired), .text, at: 951_782_400.25)
                == #"192.0.2.1 - - [29/Feb/2000:00:00:00 +0000] "GET /photos/7 HTTP/1.1" 401 512 "#
                + #"duration=1.002030 "#
                + "id=abc route=/photos/{id} resource=https://api.example.com/photos refusal=expired\n")
    }

    @Test(arguments: AccessLog.Format.allCases)
    func `a long address from a proxy is truncated`(format: AccessLog.Format) {
        let summary = Self.line().summary
        let name = String(repeating: "a", count: 30_000)
        let line = Self.text(AccessLogLine(summary, client: name, path: nil), format, at: 0)
        #expect(line.contains(name.prefix(256)) && !line.contains(name.prefix(257)))
    }

    @Test func `JSON is one object a line, with null for unknown values`() {
        #expect(
            Self.text(Self.line(nil, path: nil, isComplete: false), .json, at: 1_700_000_000.007)
                == #"{"time":"2023-11-14T22:13:20.007Z","remote_address":"192.0.2.1","method":null,"#
                + #""path":null,"status":null,"bytes":512,"bytes_received":80,"duration_seconds":1.002030,"#
                + #""request_id":"abc","route":"/photos/{id}","resource":"https://api.example.com/photos","#
                + #""refusal":null,"complete":false}"#
                + "\n")
    }

    @Test func `a refusal has what was expected and what the request had`() {
        let finding = RefusalFinding(expected: "https://a b", got: "\"x\" \n\\")
        let line = Self.line(.unauthorized, refusal: .audienceMismatch, finding: finding)
        #expect(
            Self.text(line, .text, at: 0).hasSuffix(
                #" refusal=audienceMismatch expected="https://a b" got="?x? ??""# + "\n"))
        #expect(
            Self.text(line, .json, at: 0).contains(
                #","refusal":"audienceMismatch","expected":"https://a b","got":"?x? ??","complete":true}"#))
    }

    @Test func `no byte breaks a line or a string`() {
        let line = Self.text(Self.line(path: "/\"\\\n\u{7F}é"), .json, at: 0)
        #expect(line.contains(#""path":"/??????""#))
        #expect(line.utf8.count { $0 == 0x0A } == 1)
    }

    @Test func `a long path is truncated`() {
        let line = Self.text(Self.line(path: "/" + String(repeating: "a", count: 5000)), .json, at: 0)
        #expect(line.utf8.count < 1400)
    }
}

@Suite("The access log's queue")
struct LineQueueTests {
    private static func queue(_ limit: Int, _ write: @escaping @Sendable ([UInt8]) -> Void) -> LineQueue {
        queue(limit) { lines in
            write(lines)
            return nil
        }
    }

    private static func queue(
        _ limit: Int = 1 << 20, report: @escaping @Sendable (Int, LineQueue.LossReason) -> Void = { _, _ in },
        write: @escaping @Sendable ([UInt8]) -> LogFile.Loss?
    ) -> LineQueue {
        LineQueue(
            maxByteCount: limit, write: write,
            appendDropped: { count, lines in lines += "dropped \(count)\n".utf8 }, reportLoss: report)
    }

    @Test func `lines are written whole and in order`() async {
        let lines = Lines()
        let queue = Self.queue(1 << 20) { lines.add($0) }
        for number in 0..<1000 { queue.add { $0 += "line \(number)\n".utf8 } }
        await queue.flush(atMost: .seconds(20))
        #expect(lines.all == (0..<1000).map { "line \($0)" })
    }

    @Test func `lines beyond the queue's capacity are dropped, counted and reported`() async {
        let lines = Lines()
        let isHeld = DispatchSemaphore(value: 0)
        let begun = Gate()
        let queue = Self.queue(10) { bytes in
            begun.open()
            isHeld.wait()
            lines.add(bytes)
        }
        queue.add { $0 += "first\n".utf8 }
        await begun.wait()
        for number in 0..<5 { queue.add { $0 += "line \(number)\n".utf8 } }
        #expect(queue.droppedLineCount == 3)
        isHeld.signal()
        isHeld.signal()
        await queue.flush(atMost: .seconds(20))
        #expect(lines.all == ["first", "line 0", "line 1", "dropped 3"])
        isHeld.signal()
        queue.add { $0 += "later\n".utf8 }
        await queue.flush(atMost: .seconds(20))
        #expect(lines.all.last == "later")
    }

    @Test func `lines that cannot be written are counted, and reported before the next lines`() async {
        let lines = Lines()
        let isFull = Atomic<Bool>(true)
        let noSpace = LogFileError(code: ENOSPC)
        let reports = Mutex<[Int]>([])
        let queue = Self.queue(
            report: { count, reason in
                #expect(reason == .unwritable(noSpace))
                reports.withLock { $0.append(count) }
            },
            write: { bytes in
                guard isFull.load(ordering: .relaxed) else {
                    lines.add(bytes)
                    return nil
                }
                return LogFile.Loss(unwrittenCount: bytes.count { $0 == 0x0A }, error: noSpace)
            })
        for number in 0..<3 {
            queue.add { $0 += "lost \(number)\n".utf8 }
            queue.add { $0 += "lost \(number)\n".utf8 }
            await queue.flush(atMost: .seconds(20))
            #expect(queue.droppedLineCount == (number + 1) * 2)
        }
        isFull.store(false, ordering: .relaxed)
        queue.add { $0 += "there\n".utf8 }
        await queue.flush(atMost: .seconds(20))
        #expect(lines.all == ["dropped 6", "there"])
        #expect(queue.droppedLineCount == 6)
        #expect(reports.withLock { $0.reduce(0, +) } == 6)
    }

    @Test func `a dropped line is counted although the others were written`() async {
        let queue = Self.queue { _ in
            LogFile.Loss(unwrittenCount: 0, tornCount: 1, error: LogFileError(code: ENOSPC))
        }
        queue.add { $0 += "there\n".utf8 }
        await queue.flush(atMost: .seconds(20))
        #expect(queue.droppedLineCount == 1)
    }

    @Test func `losses are reported once a minute, and the rest at the end`() async throws {
        let reports = Mutex<[Int]>([])
        let hasReported = Gate()
        let queue = Self.queue(
            report: { count, _ in
                reports.withLock { $0.append(count) }
                hasReported.open()
            },
            write: { bytes in
                LogFile.Loss(
                    unwrittenCount: bytes.count { $0 == 0x0A }, error: LogFileError(code: ENOSPC))
            })
        queue.add { $0 += "first\n".utf8 }
        await hasReported.wait()
        for _ in 0..<5 {
            queue.add { $0 += "later\n".utf8 }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(reports.withLock { $0 } == [1])
        await queue.flush(atMost: .seconds(20))
        #expect(reports.withLock { $0 } == [1, 5])
    }

    @Test func `a hanging writer does not delay the shutdown beyond a bound`() async {
        let isHeld = DispatchSemaphore(value: 0)
        let queue = Self.queue(10) { _ in isHeld.wait() }
        queue.add { $0.append(0x0A) }
        await queue.flush(atMost: .milliseconds(50))
        isHeld.signal()
    }
}

@Suite("The access log of a server")
struct ServerAccessLogTests {
    private let lines = Lines()

    private func serving(
        _ format: AccessLog.Format = .json, _ declare: (inout Routes) -> Void,
        _ test: (RunningServer) async throws -> Void
    ) async throws {
        let lines = lines
        var setup = RunningServer.Setup()
        setup.configure = { $0.accessLog = .lines(format) { lines.add($0) } }
        try await withServer(setup, declare, test)
    }

    @Test func `a line has the request and its answer, and no query`() async throws {
        try await serving(declare: { $0.get("/photos/{id}") { _ in .text("seven") } }) { server in
            _ = try await server.get("/photos/7?access_token=secret", "Authorization: Bearer secret")
        }
        let line = try #require(lines.objects.first)
        #expect(lines.all.count == 1)
        #expect(line["method"] == "GET")
        #expect(line["path"] == "/photos/7")
        #expect(line["route"] == "/photos/{id}")
        #expect(line["status"]?.number?.integer == 200)
        #expect(line["remote_address"] == "127.0.0.1")
        #expect(line["resource"] == .null)
        #expect(line["complete"] == true)
        #expect(!lines.all[0].contains("secret"))
    }

    private func serving(
        declare: (inout Routes) -> Void, _ test: (RunningServer) async throws -> Void
    ) async throws { try await serving(.json, declare, test) }

    @Test func `a refusal is logged with its resource and reason, and without the token`() async throws {
        let issuer = TestIssuer("https://login.example.com")
        let notes = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        try await serving(declare: { $0.protect(notes) { _ in } }) { server in
            _ = try await server.get("/notes/1", "Authorization: Bearer very.secret.token")
        }
        let line = try #require(lines.objects.first)
        #expect(line["resource"] == "https://api.example.com/notes")
        #expect(line["refusal"] == "malformedJWT")
        #expect(line["expected"] == "strict JSON in three base64url parts")
        #expect(line["got"]?.string?.isEmpty == false)
        #expect(!lines.all[0].contains("secret"))
    }

    @Test func `a malformed message is logged too`() async throws {
        try await serving(.text, { $0.get("/") { _ in .ok } }) { server in
            _ = try await server.exchange("GET / HTTP/1.1\r\n\r\n")
            _ = try await server.exchange("nonsense\r\n\r\n")
        }
        #expect(lines.all.count == 2)
        #expect(lines.all[0].contains(#""GET / HTTP/1.1" 400"#))
        #expect(lines.all[1].contains(#""-" 400"#))
        #expect(lines.all.allSatisfy { $0.contains("route=malformed") })
    }

    @Test(arguments: [
        ("GET", "http://api.example.com/a/b?secret=/c", "/a/b"),
        ("GET", "http://api.example.com?/secret/x", nil),
        ("OPTIONS", "*", "*"), ("CONNECT", "api.example.com:443", nil), ("GET", "/a?secret", "/a"),
        ("GET", "http://user:secret@api.example.com/a", "/a"),
    ])
    func `the path of every target form is logged, and nothing else of the target`(
        method: String, target: String, path: String?
    ) async throws {
        try await serving(declare: { $0.get("/a/b") { _ in .ok } }) { server in
            _ = try await server.exchange(request(method, target))
        }
        let line = try #require(lines.objects.first)
        #expect(line["path"]?.string == path)
        #expect(line["method"]?.string == method)
        #expect(!lines.all[0].contains("secret"))
    }

    @Test func `a stream is logged when it has ended`() async throws {
        try await serving(declare: {
            $0.get("/") { _ in .stream(contentType: "text/plain") { try await $0.write("streamed") } }
        }) { server in
            let reply = try await server.get("/")
            #expect(reply.text == "streamed")
        }
        #expect(lines.objects.count == 1)
        #expect(lines.objects.first?["status"]?.number?.integer == 200)
    }
}

@Suite("The access log's file")
struct LogFileTests {
    @Test func `lines are appended, and reopening follows a file that was moved`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/access.log"
        let log = try AccessLog.file(path, .text)
        let line = AccessLogLine(
            RequestSummary(
                route: "/", method: .get, status: .ok, isComplete: true, duration: .zero),
            client: "192.0.2.1", path: [0x2F])
        log.add(line)
        await log.flush()
        folder.move("access.log", to: "old.log")
        log.add(line)
        await log.flush()
        #expect(folder.contents("old.log").count { $0 == "\n" } == 2)
        try log.reopen()
        log.add(line)
        await log.flush()
        #expect(folder.contents("access.log").count { $0 == "\n" } == 1)
        #expect(folder.contents("old.log").count { $0 == "\n" } == 2)
    }

    /// A disk with room for this many bytes.
    private final class Disk: Sendable {
        let room: Atomic<Int>

        init(room: Int) { self.room = Atomic(room) }

        func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
            let room = room.load(ordering: .relaxed)
            guard room > 0 else {
                errno = ENOSPC
                return -1
            }
            let count = LogFile.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(room)))
            self.room.store(room - max(count, 0), ordering: .relaxed)
            return count
        }
    }

    @Test func `a line that a full disk truncated is completed when there is room`() throws {
        let folder = try TemporaryFolder()
        let disk = Disk(room: 8)
        let file = try LogFile(path: folder.path + "/log", write: disk.write)
        let full = LogFileError(code: ENOSPC)
        #expect(
            file.write(Array("first\nsecond\nthird\n".utf8)) == LogFile.Loss(unwrittenCount: 1, error: full))
        #expect(folder.contents("log") == "first\nse")
        #expect(file.write(Array("fourth\n".utf8)) == LogFile.Loss(unwrittenCount: 1, error: full))
        disk.room.store(2, ordering: .relaxed)
        #expect(file.write(Array("fifth\n".utf8)) == LogFile.Loss(unwrittenCount: 1, error: full))
        disk.room.store(100, ordering: .relaxed)
        #expect(file.write(Array("sixth\n".utf8)) == nil)
        #expect(folder.contents("log") == "first\nsecond\nsixth\n")
    }

    @Test func `a truncated line is ended if another writer appended to the file`() throws {
        let folder = try TemporaryFolder()
        let disk = Disk(room: 3)
        let file = try LogFile(path: folder.path + "/log", write: disk.write)
        #expect(file.write(Array("first\n".utf8)) == nil)
        try #require(
            fopen(folder.path + "/log", "a").map { fputs("other", $0) == 1 && fclose($0) == 0 } == true)
        disk.room.store(100, ordering: .relaxed)
        #expect(
            file.write(Array("second\n".utf8))
                == LogFile.Loss(unwrittenCount: 0, tornCount: 1, error: LogFileError(code: ENOSPC)))
        #expect(folder.contents("log") == "firother\nsecond\n")
    }

    @Test(arguments: [true, false])
    func `a truncated line is dropped when its file is truncated or another one is opened`(isMoved: Bool)
        throws
    {
        let folder = try TemporaryFolder()
        let disk = Disk(room: 3)
        let file = try LogFile(path: folder.path + "/log", write: disk.write)
        #expect(file.write(Array("first\n".utf8)) == nil)
        if isMoved {
            folder.move("log", to: "old")
            try file.reopen()
        } else {
            #expect(truncate(folder.path + "/log", 0) == 0)
        }
        disk.room.store(100, ordering: .relaxed)
        #expect(file.write(Array("second\n".utf8))?.tornCount == 1)
        #expect(folder.contents("log") == "second\n")
    }

    #if os(Linux)
        @Test func `a full disk is counted, reported once and shown in the metrics`() async throws {
            let sentences = Mutex<[String]>([])
            let log = AccessLog(.text, writingTo: try LogFile(path: "/dev/full")) { sentence in
                sentences.withLock { $0.append(sentence) }
            }
            let metrics = MetricsRegistry()
            var setup = RunningServer.Setup()
            setup.configure = {
                $0.accessLog = log
                $0.metrics = metrics
            }
            try await withServer(setup, { $0.get("/") { _ in .ok } }) { server in
                _ = try await server.get("/")
                await log.flush()
                #expect(
                    metrics.openMetricsText.contains("\nportcullis_access_log_lines_dropped_total 1\n"))
            }
            #expect(
                sentences.withLock { $0 } == [
                    "the access log lost 1 line, which could not be written: No space left on device"
                ])
        }
    #endif

    @Test func `a file that cannot be opened is an error at the start`() {
        #expect(throws: LogFileError.self) { try AccessLog.file("/nonexistent/folder/log", .text) }
    }
}
