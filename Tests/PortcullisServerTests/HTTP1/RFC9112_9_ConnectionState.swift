// SPDX-License-Identifier: MIT

import Foundation
import PortcullisServer
import PortcullisTransport
import Synchronization
import Testing

/// `PORTCULLIS_SEQUENCES` sets the number of sequences, `PORTCULLIS_SEED` runs and traces a single one.
@Suite("RFC 9112 §9 Connection state")
struct RFC9112_9_ConnectionState {
    private typealias Phase = ConnectionState.Phase

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    /// Repeats a sequence and prints its events.
    private static func trace(_ seed: UInt64) -> String {
        let simulated = SimulatedConnection(seed: seed)
        simulated.trace = []
        simulated.run()
        return (simulated.trace ?? []).suffix(60).joined(separator: "\n")
    }

    @Test func `for any sequence of events, the invariants hold and the connection closes`() async {
        if let seed = Self.number("PORTCULLIS_SEED") {
            let simulated = SimulatedConnection(seed: seed)
            simulated.run()
            return #expect(simulated.breach == nil, "\(Self.trace(seed))")
        }
        let count = Self.number("PORTCULLIS_SEQUENCES") ?? 20_000
        let workers: UInt64 = 2
        let first = UInt64.random(in: 0 ... .max / 2)
        let requests = Counter()
        let seen = await withTaskGroup(of: [Bool].self) { group in
            for worker in 0..<workers {
                group.addTask {
                    var seen = [Bool](
                        repeating: false,
                        count: SimulatedConnection.phaseCount * SimulatedConnection.phaseCount)
                    for seed in stride(from: first + worker, to: first + count, by: Int(workers)) {
                        let simulated = SimulatedConnection(seed: seed)
                        simulated.run()
                        if let breach = simulated.breach {
                            Issue.record("PORTCULLIS_SEED=\(seed): \(breach)\n\(Self.trace(seed))")
                            break
                        }
                        requests.add(simulated.acceptedCount)
                        for index in seen.indices where simulated.seen[index] { seen[index] = true }
                    }
                    return seen
                }
            }
            return await group.reduce(into: [[Bool]]()) { $0.append($1) }
        }
        // A sequence that ends at once would test nothing.
        #expect(requests.value > Int(count) * 5)
        // Every transition of the table happened, so the table has no dead entry.
        for phase in Phase.allCases {
            for next in ConnectionState.edges[phase] ?? [] {
                let index = Int(phase.rawValue) * SimulatedConnection.phaseCount + Int(next.rawValue)
                #expect(seen.contains { $0[index] }, "\(phase) to \(next), from seed \(first)")
            }
        }
    }

    @Test func `the diagram shows the transitions of the table`() throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../Sources/PortcullisServer/HTTP1/ConnectionState.swift")
        let lines = try String(contentsOf: source, encoding: .utf8).split(separator: "\n")
        let drawn = lines.compactMap { line -> String? in
            let words = line.split(separator: " ")
            guard words.count > 4, words[0] == "///", words[2] == "-->", words[1] != "accepted" else {
                return nil
            }
            return "\(words[1]) \(words[3])"
        }
        let table = ConnectionState.edges.flatMap { from, next in next.map { "\(from) \($0)" } }
        #expect(drawn.count == Set(drawn).count)
        #expect(Set(drawn).symmetricDifference(table) == [])
        #expect(ConnectionState.edges.count == Phase.allCases.count)
    }

    // MARK: Single transitions

    private static let now = MonotonicInstant(nanoseconds: 1_000_000_000)

    private static func state(isEncrypted: Bool = false, isStopping: Bool = false) -> ConnectionState {
        ConnectionState(
            ConnectionState.Timeouts(Server.Limits()), now, isEncrypted: isEncrypted, isStopping: isStopping)
    }

    private static func accepted() -> ConnectionState {
        var state = state()
        state.requestAccepted(version: .http1_1, isHead: false, keepAlive: true)
        return state
    }

    @Test func `a connection with TLS begins with a handshake, and each has its deadline`() {
        #expect(Self.state().phase == .idle)
        #expect(Self.state().deadline == Self.now + .seconds(75))
        #expect(Self.state(isEncrypted: true).phase == .handshake)
        #expect(Self.state(isEncrypted: true).deadline == Self.now + .seconds(10))
    }

    @Test func `the deadline of a head starts with its first byte, even while output is sent`() {
        var state = Self.state()
        _ = state.outputBlocked(Self.now)
        #expect(state.headIncomplete(Self.now) == .setDeadline)
        _ = state.outputSent(Self.now + .seconds(5))
        #expect(state.headIncomplete(Self.now + .seconds(5)) == [])
        #expect(state.deadline == Self.now + .seconds(10))
        guard case .head = state.expire(Self.now + .seconds(10), output: 0) else {
            Issue.record("\(state.state)")
            return
        }
    }

    @Test func `100 (Continue) does not follow the head of a stream`() {
        var state = Self.accepted()
        state.bodyExpected(owesContinue: true)
        #expect(state.streamBegan(.remaining(10)) == .withhold)
        #expect(state.withheldHeadSent(.remaining(10)) == false)
        #expect(state.awaitBody(.remaining(10), Self.now) == .wait)
    }

    @Test func `a server that stops sends the current answer as the last one`() {
        var state = Self.accepted()
        state.stop()
        #expect(state.answerBegan(isDelimited: true, isFile: false, .finished) == false)
        #expect(state.answerEnded(.finished, Self.now) == [.dropUnread, .setDeadline])
        #expect(state.phase == .closing)
        #expect(state.outputSent(Self.now) == .endOutput)
        #expect(state.closureSent(Self.now) == [.shutDownWriting, .setDeadline])
        #expect(state.phase == .lingering)
        #expect(state.inputEnded(output: 0) == [.close, .giveBackPlace])
    }

    @Test func `a closed connection's place is free when its pending work has returned`() {
        var state = Self.accepted()
        state.workBegan()
        #expect(state.close() == .close)
        #expect(state.close() == [])
        #expect(state.workEnded() == .giveBackPlace)
    }

    @Test(arguments: [0, 1])
    func `a body after its answer is read up to a bound`(_ excess: Int) {
        let bound = 64 * 1024
        var state = Self.accepted()
        #expect(state.answerBegan(isDelimited: true, isFile: false, .unknown) == true)
        #expect(state.answerEnded(.unknown, Self.now) == .setDeadline)
        #expect(state.phase == .discarding)
        _ = state.restOfBodyRead(bound + excess, isFinished: false)
        #expect(state.phase == (excess == 0 ? .discarding : .closing))
    }

    @Test func `unread bytes bound how many more the server reads`() {
        var state = Self.accepted()
        #expect(state.room(unread: 64 * 1024 - 1, capacity: 64 * 1024) == 1)
        #expect(state.room(unread: 64 * 1024, capacity: 64 * 1024) == 0)
        _ = state.answerEnded(.finished, Self.now)
        #expect(state.room(unread: 1, capacity: 64 * 1024) == 0)
        #expect(state.room(unread: 0, capacity: 64 * 1024) == 64 * 1024)
    }

    @Test(arguments: [0, 1])
    func `output beyond a bound delays further requests`(_ excess: Int) {
        var state = Self.state()
        #expect(state.intake(output: 256 * 1024 + excess) == (excess == 0 ? .head : .keep))
        #expect(state.phase == (excess == 0 ? .idle : .heldBack))
    }
}
