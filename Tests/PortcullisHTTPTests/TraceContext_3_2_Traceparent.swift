// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Testing

@Suite("W3C Trace Context §3.2, §3.3 traceparent and tracestate")
struct TraceContext_3_2_Traceparent {
    private static let trace = "12345678901234567890123456789012"
    private static let parent = "1234567890123456"
    private static let seed = TraceSeed(high: 0xA1, low: 0xB2)

    private static func head(_ parents: [String], _ states: [String] = []) throws -> RequestHead {
        try RequestHead(
            method: .get, target: "/",
            fields: parents.map { ("Traceparent", $0) } + states.map { ("tracestate", $0) })
    }

    private static func read(_ parent: String, _ states: String...) throws -> TraceContext? {
        TraceContext(try head([parent], states))
    }

    @Test(arguments: [
        ("00-T-P-01", "01"), ("00-T-P-02", "02"), ("00-T-P-ff", "03"), ("00-T-P-00", "00"),
        ("cc-T-P-01", "01"),
        ("cc-T-P-01-what", "01"), ("01-T-P-01-", "01"), (" \t00-T-P-01 \t", "01"),
    ])
    func `a valid trace is continued, in version 00 with the known flags`(value: String, flags: String) throws
    {
        let context = try #require(try Self.read(Self.filled(value)))
        #expect(context.traceID == Self.trace && context.parentID == Self.parent)
        #expect(context.traceparent(spanID: 0xF) == "00-\(Self.trace)-000000000000000f-\(flags)")
        #expect(context.linkedTraceID == nil)
    }

    @Test(arguments: [
        "00-T-P-01.", "00-T-P-01-what", "cc-T-P-01.what", "ff-T-P-01", ".0-T-P-01", "000-T-P-01", "0-T-P-01",
        "00-1T-P-01", "00-1234567890123456789012345678901-P-01", "00-00000000000000000000000000000000-P-01",
        "00-T-0000000000000000-01", "00-1234567890123456789012345678901A-P-01", "00-T-123456789012345F-01",
        "00-T-P-0A", "00-T-P-001", "00-T-P-1", "00-T-P", "", "00_T-P-01", "00-T_P-01", "00-T-P_01",
    ])
    func `an invalid trace is not continued, and is no error`(value: String) throws {
        let head = try Self.head([Self.filled(value)], ["a=1"])
        #expect(TraceContext(head) == nil)
        let made = TraceContext.of(head, isTrusted: true, seed: Self.seed)
        #expect(made.traceID == "00000000000000a100000000000000b2")
        #expect(made.parentID == nil && made.state.isEmpty && !made.isSampled && made.isRandom)
        #expect(made.linkedTraceID == nil)
    }

    @Test func `two fields are none`() throws {
        let value = Self.filled("00-T-P-01")
        #expect(TraceContext(try Self.head([value, value])) == nil)
    }

    // Trace Context §6: a stranger's flag decides nothing.
    @Test func `a stranger's trace becomes a link`() throws {
        let head = try Self.head([Self.filled("00-T-P-01")], ["a=1"])
        let context = TraceContext.of(head, isTrusted: false, seed: Self.seed)
        #expect(context.traceID == "00000000000000a100000000000000b2" && !context.isSampled)
        #expect(context.linkedTraceID == Self.trace && context.state.isEmpty)
    }

    @Test(arguments: [
        (["foo=1"], "foo=1"), (["foo=1,bar=2"], "foo=1,bar=2"), (["foo=1", "bar=2"], "foo=1,bar=2"),
        (["foo=1 \t , \tbar=2, ,"], "foo=1,bar=2"), (["a1_-*/@x=!~ y"], "a1_-*/@x=!~ y"), (["0=1"], "0=1"),
        (["foo =1"], ""), (["FOO=1"], ""), (["foo.bar=1"], ""), (["foo=bar=baz"], ""), (["foo="], ""),
        (["foo"], ""), (["=1"], ""), (["@a=1"], ""), (["foo=1,foo=2"], ""), (["foo=1", "bar"], ""),
    ])
    func `a malformed state is left out as a whole`(states: [String], expected: String) throws {
        let head = try Self.head([Self.filled("00-T-P-01")], states)
        #expect(try #require(TraceContext(head)).state == expected)
    }

    @Test func `a state has at most 32 entries`() throws {
        func state(_ count: Int) throws -> String? {
            try Self.read(Self.filled("00-T-P-01"), (0..<count).map { "k\($0)=v" }.joined(separator: ","))?
                .state
        }
        #expect(try state(32)?.split(separator: ",").count == 32)
        #expect(try state(33) == "")
    }

    // Trace Context §3.3.1.5.
    @Test func `a long state loses whole entries, long ones first, then from the end`() throws {
        let long = "long=" + String(repeating: "x", count: 200)
        let short = (0..<8).map { "k\($0)=" + String(repeating: "y", count: 57) }
        let parent = Self.filled("00-T-P-01")
        #expect(
            try Self.read(parent, ([long] + short).joined(separator: ","))?.state
                == short.prefix(8).joined(separator: ","))
        let more = short + ["last=" + String(repeating: "z", count: 57)]
        #expect(try Self.read(parent, more.joined(separator: ","))?.state == short.joined(separator: ","))
    }

    private static func filled(_ value: String) -> String {
        value.split(separator: "-", omittingEmptySubsequences: false)
            .map { part in
                part == "T" ? trace : part == "P" ? parent : part == "1T" ? "1" + trace : String(part)
            }
            .joined(separator: "-")
            .replacing("T_P", with: trace + "_" + parent).replacing("_T", with: "_" + trace)
            .replacing("P_", with: parent + "_")
    }
}
