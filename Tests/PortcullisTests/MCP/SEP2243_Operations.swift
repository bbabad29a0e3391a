// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisTesting
import Testing

@Suite("MCP 2026-07-28, SEP-2243 (MCX-10, MCX-12) Operations by the values of fields")
struct SEP2243_Operations {
    static let delete = RequestOperation(
        ["Mcp-Method": "tools/call", "Mcp-Name": "delete_note"], scopes: ["notes:write"])
    static let call = RequestOperation(["Mcp-Method": "tools/call"], scopes: ["notes:call"])

    private func operation(
        _ rules: OperationRules, needsRevision: Bool = false, _ fields: (String, String)...
    ) -> Result<RequestOperation?, OperationFault> {
        do throws(OperationFault) {
            return .success(try rules.operation(of: .get("/", fields: fields), needsRevision: needsRevision))
        } catch {
            return .failure(error)
        }
    }

    private let rules = OperationRules([Self.delete, Self.call], others: .refused)
    private let open = OperationRules([Self.delete, Self.call], others: .route)

    @Test func `the first operation whose fields are all there counts`() {
        #expect(
            operation(rules, ("Mcp-Method", "tools/call"), ("Mcp-Name", "delete_note"))
                == .success(Self.delete))
        #expect(operation(rules, ("Mcp-Method", "tools/call"), ("Mcp-Name", "x")) == .success(Self.call))
        #expect(operation(rules, ("Mcp-Method", "tools/call")) == .success(Self.call))
        #expect(operation(rules, ("MCP-METHOD", "tools/call")) == .success(Self.call))
    }

    @Test func `no match is missing a field, or is not listed`() {
        #expect(operation(rules) == .failure(.missing))
        #expect(operation(rules, ("Mcp-Method", "tools/list")) == .failure(.missing))
        #expect(operation(rules, ("Mcp-Name", "delete_note")) == .failure(.missing))
        #expect(operation(rules, ("Mcp-Method", "tools/list"), ("Mcp-Name", "")) == .failure(.unlisted))
        #expect(operation(open) == .success(nil))
        #expect(operation(open, ("Mcp-Method", "tools/list"), ("Mcp-Name", "x")) == .success(nil))
    }

    /// Values that are not the operation's, however close.
    @Test(arguments: [
        "TOOLS/CALL", "Tools/call", "tools/call/", "tools%2Fcall", "tools/call,", "tools/call, tools/call",
        "\"tools/call\"", "tools/call;q=1", "=?base64?dG9vbHMvY2FsbA==?=", "tools /call", "tools/cal", "",
        "tools/call\u{301}",
    ])
    func `values agree byte by byte`(value: String) {
        #expect(
            operation(rules, ("Mcp-Method", value), ("Mcp-Name", "delete_note")) == .failure(.unlisted))
    }

    @Test(arguments: ["Mcp-Name", "mcp-name", "MCP_NAME", "Mcp.Name", "Mcp~Name"])
    func `a field that comes twice, in any spelling that is read as the same, is ambiguous`(name: String) {
        for rules in [rules, open] {
            let first = ("Mcp-Name", "delete_note")
            #expect(
                operation(rules, ("Mcp-Method", "tools/call"), first, (name, "delete_note"))
                    == .failure(.ambiguous))
            #expect(
                operation(rules, (name, "read_note"), ("Mcp-Method", "tools/call"), first)
                    == .failure(.ambiguous))
            // Also where no operation matches.
            #expect(operation(rules, first, (name, "x")) == .failure(.ambiguous))
        }
    }

    @Test func `a spelling of the field alone is ambiguous too`() {
        #expect(operation(open, ("Mcp_Name", "delete_note")) == .failure(.ambiguous))
        #expect(operation(open, ("Mcp_Names", "delete_note")) == .success(nil))
    }

    @Test(arguments: ["Mcp-Name", "close, mcp-name", "MCP_METHOD", "Mcp-Method,"])
    func `RFC 9110 §7.6.1: a field that Connection names is ambiguous`(options: String) {
        #expect(
            operation(
                rules, ("Mcp-Method", "tools/call"), ("Mcp-Name", "delete_note"), ("Connection", options))
                == .failure(.ambiguous))
    }

    // MARK: Encoded values

    private func name(_ value: String, is decoded: String) -> Result<RequestOperation?, OperationFault> {
        let rules = OperationRules([RequestOperation(["Mcp-Name": decoded])], others: .refused)
        return operation(rules, ("Mcp-Name", value))
    }

    @Test(arguments: [
        ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, 世界"),
        ("=?base64?IHBhZGRlZCA=?=", " padded "),
        ("=?base64?bGluZTEKbGluZTI=?=", "line1\nline2"),
        ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="),
        ("=?base64?Y2Fmw6k=?=", "café"),
        ("=?BASE64?Y2Fmw6k=?=", "=?BASE64?Y2Fmw6k=?="), ("=?Base64?YQ==?=", "=?Base64?YQ==?="),
        ("x=?base64?YQ==?=", "x=?base64?YQ==?="), ("caf%C3%A9", "caf%C3%A9"), ("a, b", "a, b"),
    ])
    func `vectors of MCX-10`(value: String, decoded: String) throws {
        #expect(try name(value, is: decoded).get() != nil)
    }

    @Test(arguments: [
        "=?base64?Y2Fmw6k?=", "=?base64?Y2Fmw6k=", "=?base64?Y2Fm w6k=?=", "=?base64?Y2Fmw6l=?=",
        "=?base64?Y2Fmw6k=?==?base64?Y2Fmw6k=?=", "=?base64?_-8=?=", "=?base64?Y2Fm6Q==?=", "=?base64?=?=",
        "=?base64?", "=?base64?=", "café", "caf\u{e9}\u{301}", "a\tb", "=?base64?Y2Fmw6k=?= x",
        "=?base64?7aCA?=",
    ])
    func `a malformed value is malformed wherever it would lead`(value: String) {
        #expect(name(value, is: "café") == .failure(.malformed))
        #expect(operation(open, ("Mcp-Name", value)) == .failure(.malformed))
        let parameter = OperationRules([RequestOperation(["Mcp-Param-Region": "café"])], others: .route)
        #expect(operation(parameter, ("mcp-param-region", value)) == .failure(.malformed))
    }

    @Test func `an encoded empty value is an empty value`() {
        #expect(operation(rules, ("Mcp-Method", "x"), ("Mcp-Name", "=?base64??=")) == .failure(.unlisted))
    }

    @Test func `strings are equal only with the same code points`() {
        #expect(name("=?base64?Y2Fmw6k=?=", is: "cafe\u{301}") == .failure(.unlisted))
    }

    // MARK: The revision

    @Test(arguments: [
        [], ["2025-11-25"], ["2026-07-27"], ["2026-07-28", "2026-07-28"], ["2026-07-28, 2026-07-28"],
        ["9999"], ["2026-7-28"], ["2026-07-28 x"], ["x026-07-28"], [""], ["DRAFT"], ["2026/07/28"],
        ["٢٠٢٦-07-28"],
    ])
    func `an operation needs one revision that obliges the server to compare`(versions: [String]) throws {
        let fields = [("Mcp-Method", "tools/call")] + versions.map { ("MCP-Protocol-Version", $0) }
        let head = RequestHead.get("/", fields: fields)
        #expect(throws: OperationFault.unversioned) {
            try rules.operation(of: head, needsRevision: true)
        }
        #expect(try rules.operation(of: head, needsRevision: false) == Self.call)
    }

    @Test(arguments: ["2026-07-28", "2026-07-29", "2027-01-01"])
    func `later revisions do`(version: String) {
        #expect(
            operation(
                rules, needsRevision: true, ("Mcp-Method", "tools/call"), ("MCP-Protocol-Version", version))
                == .success(Self.call))
    }

    // MARK: Declarations

    @Test func `an operation behind one with fewer fields is never reached`() throws {
        let hidden = try #require(OperationRules.hidden(in: [Self.call, Self.delete]))
        #expect(hidden.index == 1 && hidden.by == 0)
        #expect(OperationRules.hidden(in: [Self.delete, Self.call]) == nil)
        let twice = try #require(OperationRules.hidden(in: [Self.call, Self.call]))
        #expect(twice.index == 1 && twice.by == 0)
    }

    @Test(arguments: ["", " x", "x ", "a\nb", "é"])
    func `a value that a plain field cannot have is a mistake`(value: String) {
        #expect(RequestOperation.Criterion("Mcp-Method", value).problem != nil)
        #expect((RequestOperation.Criterion("Mcp-Name", value).problem == nil) == !value.isEmpty)
    }

    @Test func `operations and decisions are equal by what they demand`() {
        #expect(
            AccessRequirement.anyValidToken.distinguishing(Self.call)
                == AccessRequirement.anyValidToken.distinguishing(Self.call))
        #expect(
            AccessRequirement.anyValidToken.distinguishing(Self.call)
                != AccessRequirement.anyValidToken.distinguishing(Self.call, others: .route))
        let decision = ExternalDecision { _ in .permit }
        #expect(
            AccessRequirement.anyValidToken.decided(by: decision)
                != AccessRequirement.anyValidToken.decided(by: ExternalDecision { _ in .permit }))
    }
}
