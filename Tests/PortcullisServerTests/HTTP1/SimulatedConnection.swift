// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisServer
import PortcullisTransport

/// A pseudo-random sequence that is reproducible from its seed.
struct Seeded: RandomNumberGenerator {
    private var value: UInt64

    init(_ seed: UInt64) { value = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        value &+= 0x9E37_79B9_7F4A_7C15
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() >> 33) % bound }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// A client, a socket, a loop and handlers around a ``ConnectionState``, simulated: bytes are only counted.
///
/// Executes the state's decisions as `Connection` does, and checks the invariants. Keeps the first breach.
final class SimulatedConnection {
    // MARK: What the client sends

    struct Message {
        enum Fault { case none, malformedHead, refusedHead, malformedBody }

        var head = 0
        var body = 0
        var isChunked = false
        var expects = false
        var version = HTTPVersion.http1_1
        var keepsAlive = true
        var isHead = false
        var fault = Fault.none
    }

    /// A body during reading.
    struct Body {
        var total = 0
        var taken = 0
        var isChunked = false
        var failsAt: Int?
        var hasFailed = false

        var progress: BodyReader.Progress {
            if hasFailed { return .failed }
            if taken == total { return .finished }
            return isChunked ? .unknown : .remaining(total - taken)
        }
    }

    enum Wait { case none, body, writer }

    struct Handler {
        let id: UInt64
        var wait = Wait.none
        var isStream = false
        var writesLeft: Int
        var readsLeft: Int
        /// The bytes of an answer that is no stream.
        let size: Int
        let isFile: Bool
        let fails: Bool
        var isCancelled = false
    }

    /// Work that the loop runs in a later turn.
    enum Later {
        case turn
        case withheldHead(UInt64)
        case writers
        case work(UInt64)
    }

    static let limits = Server.Limits()
    static let timeouts = ConnectionState.Timeouts(limits)
    static let readByteCount = 64 * 1024
    static let partOfFile = 1 << 20
    static let largestAnswer = 400_000
    static let largestHead = 2020
    static let phaseCount = ConnectionState.Phase.allCases.count

    var random: Seeded
    var state: ConnectionState
    var now = MonotonicInstant(nanoseconds: 1_000_000_000)
    var breach: String?
    var trace: [String]?
    /// The transitions that happened, as the raw values of both phases.
    var seen = [Bool](repeating: false, count: phaseCount * phaseCount)

    // The socket.
    private var inSocket = 0
    private var clientHasEnded = false
    private var isBroken = false
    private var hasReadEnd = false
    private var isReadable = false
    private var isWritable = false
    private var window: Int
    private var hasShutDown = false
    private var loopDeadline = MonotonicInstant.distantFuture

    // The connection.
    private var unread = 0
    private var output = 0
    private var messages: [Message] = []
    private var messageIndex = 0
    private var body = Body()
    private var fileLeft = 0
    private var hasFile = false
    private var handler: Handler?
    private var later: [Later] = []
    private var isReleased = false

    // The values that the invariants check.
    private var accepted: UInt64 = 0
    private(set) var acceptedCount = 0
    private var answered: UInt64 = 0
    private var isLastSaid = false
    private var mayContinue = false
    private var servedInTurn = 0
    private var discarded = 0
    private var placesGivenBack = 0
    private var workOutstanding = 0
    /// Whether the client reads everything in the end.
    private let isPatient: Bool
    private let isEncrypted: Bool
    /// Whether all requests are small and answered at once, so that many of them share a turn.
    private let isSimple: Bool
    /// How many of a thousand events or messages end the connection.
    private let faults: Int

    init(seed: UInt64) {
        var random = Seeded(seed)
        isEncrypted = random.chance(20)
        window = random.chance(30) ? random.below(300_000) : .max / 2
        isPatient = random.chance(50)
        isSimple = random.chance(20)
        faults = [2, 10, 60][random.below(3)]
        state = ConnectionState(
            Self.timeouts, now, isEncrypted: isEncrypted, isStopping: random.chance(3))
        self.random = random
        applyDeadline()
    }

    // MARK: Running

    /// Runs random events, and then only what has to happen without them, until the connection is closed.
    func run() {
        let count = 20 + random.below(180)
        for _ in 0..<count where breach == nil && !(state.isClosed && handler == nil) {
            step()
            check()
        }
        windDown()
    }

    private func note(_ text: @autoclosure () -> String) {
        if trace != nil { trace?.append(text()) }
    }

    private func fail(_ sentence: @autoclosure () -> String) {
        if breach == nil { breach = sentence() }
    }

    private func step() {
        now = now + .milliseconds(random.below(20))
        guard random.below(1000) >= faults else {
            switch random.below(6) {
            case 0: breakConnection()
            case 1: stop()
            case 2, 3: passTime(state.deadline == .distantFuture ? .seconds(70) : state.deadline - now)
            default: endClient()
            }
            return
        }
        switch random.below(100) {
        case 0..<24: clientSends()
        case 24..<50: deliver()
        case 50..<73: stepHandler()
        case 73..<87: runLater()
        case 87..<94: growWindow(random.below(400_000))
        case 94..<97: passTime(.milliseconds(random.below(4000)))
        default: spuriousReadiness()
        }
    }

    private func windDown() {
        var steps = 0
        while breach == nil, !state.isClosed || handler != nil || !later.isEmpty {
            steps += 1
            guard steps < 20_000 else { return fail("does not end") }
            if isPatient, steps == 1 { window = .max / 2; isWritable = true }
            if isReadable || isWritable {
                deliver()
            } else if !later.isEmpty {
                runLater()
            } else if let handler, handler.wait == .none {
                stepHandler()
            } else {
                guard loopDeadline != .distantFuture else { return fail("waits without a deadline") }
                passTime(loopDeadline - now)
            }
            check()
        }
        guard breach == nil else { return }
        if placesGivenBack != 1 { fail("\(placesGivenBack) places given back") }
        if !isReleased { fail("closed and not released") }
    }

    // MARK: Events from outside

    private func clientSends() {
        guard !clientHasEnded, !isBroken else { return }
        let count: Int
        switch random.below(12) {
        // Up to the end of a head, as a client does that waits for 100 (Continue).
        case 0..<2: count = max(1, nextMessage().head - unread - inSocket)
        case 2..<4: count = 1 + random.below(40)
        case 4..<10: count = 1 + random.below(4000)
        default: count = 1 + random.below(200_000)
        }
        note("client sends \(count)")
        inSocket += count
        isReadable = true
    }

    private func endClient() {
        guard !clientHasEnded, !isBroken else { return }
        note("client ends its side")
        clientHasEnded = true
        isReadable = true
    }

    private func breakConnection() {
        note("client resets")
        isBroken = true
        isReadable = true
        isWritable = true
    }

    private func growWindow(_ count: Int) {
        note("client takes \(count)")
        window = min(window + count, .max / 2)
        isWritable = true
    }

    private func spuriousReadiness() {
        note("spurious readiness")
        ready(readable: true, writable: true)
    }

    /// The loop reports what is ready.
    private func deliver() {
        guard isReadable || isWritable else { return }
        let (readable, writable) = (isReadable, isWritable)
        (isReadable, isWritable) = (false, false)
        note("ready: readable \(readable), writable \(writable)")
        ready(readable: readable, writable: writable)
    }

    private func passTime(_ duration: Duration) {
        now = now + duration
        note("time passes: \(duration)")
        guard !state.isClosed, loopDeadline <= now else { return }
        loopDeadline = .distantFuture
        expire()
    }

    private func runLater() {
        guard !later.isEmpty else { return }
        // The loop keeps the order, except for costly work.
        let next = later.remove(at: random.chance(80) ? 0 : random.below(later.count))
        note("later: \(next)")
        switch next {
        case .turn:
            tell { $0.queuedTurnBegan() }
            servedInTurn = 0
            takeTurn()
        case .withheldHead(let id):
            guard state.isWithheldHeadDue(id) else { return }
            sendHeldHead()
            if state.hasLostStream { cancelHandler() }
            flush()
        case .writers: execute(tell { $0.resumeWriters(output: output) })
        case .work(let id):
            endWork()
            guard state.isCurrent(id) else { return }
            answer(id)
            continueLater()
        }
    }

    // MARK: Passing events to the state

    /// Every event goes through here, which records the transitions.
    private func tell<Result>(_ event: (inout ConnectionState) -> Result) -> Result {
        let before = state.phase
        let result = event(&state)
        let after = state.phase
        if before != after {
            note("  \(before) -> \(after)")
            seen[Int(before.rawValue) * Self.phaseCount + Int(after.rawValue)] = true
            if ConnectionState.edges[before]?.contains(after) != true { fail("\(before) to \(after)") }
        }
        return result
    }

    private func execute(_ actions: ConnectionState.Actions) {
        if actions.isEmpty { return }
        if actions.contains(.dropUnread) { unread = 0 }
        if actions.contains(.failBody) { failBody() }
        if actions.contains(.cancelHandler) { cancelHandler() }
        if actions.contains(.resumeWriters) { resumeWriters() }
        if actions.contains(.shutDownWriting) {
            if hasShutDown || output > 0 { fail("shut down twice or with output") }
            hasShutDown = true
        }
        if actions.contains(.goOnLater) { later.append(.turn) }
        if actions.contains(.close) { release() }
        if actions.contains(.giveBackPlace) { placesGivenBack += 1 }
        if actions.contains(.setDeadline) { applyDeadline() }
        if actions.contains(.endOutput) { endOutput() }
        if actions.contains(.flush) { flush() }
    }

    private func applyDeadline() {
        if !state.isClosed { loopDeadline = state.deadline }
    }

    // MARK: Executing actions as `Connection` does

    private func ready(readable: Bool, writable: Bool) {
        guard !state.isClosed else { return }
        if state.isNegotiating { return negotiate() }
        if writable, state.hasOutput(output) { flush() }
        guard readable, !state.isClosed else { return }
        read(untilEnd: clientHasEnded || isBroken)
    }

    private func negotiate() {
        if clientHasEnded && inSocket == 0 || isBroken { return execute(tell { $0.close() }) }
        guard inSocket > 0 else { return }
        switch random.below(20) {
        case 0:
            execute(tell { $0.closeAfterOutput() })
            read(untilEnd: true)
        case 1:
            output += 100
            isLastSaid = true
            execute(tell { $0.refuse() })
            read(untilEnd: true)
        case 2..<8:
            inSocket = 0
            execute(tell { $0.handshakeBegan(now) })
            if clientHasEnded { execute(tell { $0.close() }) }
        default:
            execute(tell { $0.handshakeBegan(now) })
            execute(tell { $0.handshakeEnded(now) })
            read(untilEnd: true)
        }
    }

    private func read(untilEnd: Bool) {
        tell { $0.readingBegan() }
        servedInTurn = 0
        for _ in 0..<8 {
            let room = state.room(unread: unread, capacity: Self.readByteCount)
            guard room > 0 else {
                if tell({ $0.readinessUnused(untilEnd) }) {
                    if isBroken {
                        execute(tell { $0.close() })
                    } else if clientHasEnded, state.losesStream {
                        cancelHandler()
                    }
                }
                return flush()
            }
            if isBroken { return execute(tell { $0.close() }) }
            let count = min(room, inSocket)
            if count > 0 {
                inSocket -= count
                received(count)
                if state.isClosed { return }
                if count < room, !untilEnd, state.input != .ended { return flush() }
            } else if clientHasEnded {
                hasReadEnd = true
                return execute(tell { $0.inputEnded(output: output) })
            } else {
                tell { $0.inputDrained() }
                return flush()
            }
        }
        flush()
        execute(tell { $0.readingInterrupted() })
    }

    private func continueLater() { execute(tell { $0.queueTurn() }) }

    private func goOn() {
        tell { $0.turnBegan() }
        servedInTurn = 0
        takeTurn()
    }

    private func takeTurn() {
        guard !state.isClosed else { return }
        if unread > 0 { process(0) }
        execute(tell { $0.unreadProcessed() })
        flush()
        if tell({ $0.takesUpReading(unread: unread) }) { read(untilEnd: true) }
    }

    private func received(_ count: Int) {
        tell { $0.received(count) }
        process(count)
    }

    private func process(_ more: Int) {
        let bytes = unread + more
        // As in `Connection`, which moves them out in the meantime.
        unread = 0
        var taken = 0
        loop: while taken < bytes {
            let rest = bytes - taken
            let count: Int
            switch tell({ $0.intake(output: output) }) {
            case .head: count = takeHead(rest)
            case .body: count = takeBody(rest)
            case .restOfBody: count = discardBody(rest)
            case .discard:
                discarded += rest
                tell { $0.discarded(rest) }
                count = rest
            case .keep: break loop
            case .keepForNextTurn:
                continueLater()
                break loop
            }
            guard count > 0 else { break }
            taken += count
        }
        if !state.isClosed { unread = bytes - taken }
    }

    private func nextMessage() -> Message {
        while messages.count <= messageIndex {
            var message = Message()
            message.head =
                isSimple || random.chance(70)
                ? 20 + random.below(60) : 20 + random.below(Self.largestHead - 20)
            if !isSimple, random.chance(30) {
                message.body = random.chance(60) ? 1 + random.below(500) : 1 + random.below(300_000)
                message.isChunked = random.chance(40)
                message.expects = random.chance(20)
            }
            if random.below(1000) < faults { message.version = .http1_0 }
            message.keepsAlive = message.version == .http1_1 && random.below(1000) >= faults
            message.isHead = random.chance(5)
            if random.below(1000) < faults {
                message.fault = [.malformedHead, .refusedHead, .malformedBody][random.below(3)]
            }
            messages.append(message)
        }
        return messages[messageIndex]
    }

    private func takeHead(_ available: Int) -> Int {
        let message = nextMessage()
        if message.fault == .malformedHead, available >= message.head / 2 {
            refuse()
            return available
        }
        guard available >= message.head else {
            execute(tell { $0.headIncomplete(now) })
            return 0
        }
        messageIndex += 1
        return message.head + begin(message, available - message.head)
    }

    private func refuse() {
        if isLastSaid { fail("a refusal after the last answer") }
        isLastSaid = true
        output += 200
        execute(tell { $0.refuse() })
    }

    private func begin(_ message: Message, _ rest: Int) -> Int {
        if message.fault == .refusedHead {
            refuse()
            return rest
        }
        if isLastSaid { fail("a request is accepted after the last answer") }
        if output > Server.Limits.maxUnsentByteCount { fail("accepted with \(output) unsent") }
        servedInTurn += 1
        if servedInTurn > Server.Limits.requestsPerTurn { fail("\(servedInTurn) requests in a turn") }
        tell {
            $0.requestAccepted(
                version: message.version, isHead: message.isHead, keepAlive: message.keepsAlive)
        }
        if accepted != answered { fail("accepted before the last answer") }
        accepted = state.exchangeID
        acceptedCount += 1
        var taken = 0
        mayContinue = false
        if message.body == 0 {
            body = Body()
        } else if !message.isChunked, message.fault == .none, message.body <= rest {
            body = Body()
            taken = message.body
        } else {
            body = Body(total: message.body, isChunked: message.isChunked)
            if message.fault == .malformedBody { body.failsAt = random.below(message.body) }
            mayContinue = message.expects && rest == 0
            tell { $0.bodyExpected(owesContinue: mayContinue) }
        }
        note("  accepted \(accepted), body \(body.total)")
        route()
        return taken
    }

    // MARK: Answering

    private func route() {
        let id = state.exchangeID
        if !isSimple, random.chance(15) {
            beginWork()
            later.append(.work(id))
        } else {
            answer(id)
        }
    }

    private func answer(_ id: UInt64) {
        let plan = Handler(
            id: id, writesLeft: random.chance(20) ? 40 : random.below(6),
            readsLeft: body.progress == .finished ? random.below(2) : random.below(8),
            size: isSimple || random.chance(85) ? random.below(2000) : random.below(Self.largestAnswer),
            isFile: !isSimple && random.chance(10), fails: random.below(1000) < faults)
        switch isSimple ? 0 : random.below(10) {
        case 0..<6: send(plan)
        case 6..<7: startStream(plan)
        default:
            beginWork()
            handler = plan
        }
    }

    private func finalHead() {
        if accepted != state.exchangeID || answered == accepted { fail("answered out of order") }
        answered = accepted
        if isLastSaid { fail("an answer after the last answer") }
        mayContinue = false
    }

    private func send(_ plan: Handler) {
        guard let request = state.request else { return fail("an answer without an exchange") }
        finalHead()
        let hasContent = !request.isHead && random.chance(90)
        let isFile = plan.isFile && hasContent
        let keepsAlive = tell {
            $0.answerBegan(isDelimited: random.below(1000) >= faults, isFile: isFile, body.progress)
        }
        if !keepsAlive { isLastSaid = true }
        output += 100
        if isFile {
            hasFile = true
            fileLeft = plan.size * 5
        } else {
            if hasContent { output += plan.size }
            finishExchange()
        }
    }

    private func finishExchange() {
        hasFile = false
        execute(tell { $0.answerEnded(body.progress, now) })
    }

    private func startStream(_ plan: Handler) {
        beginStream()
        guard state.isCurrent(plan.id) else { return }
        beginWork()
        var plan = plan
        plan.isStream = true
        handler = plan
    }

    private func beginStream() {
        switch tell({ $0.streamBegan(body.progress) }) {
        case .withhold: break
        case .withholdForTurn: later.append(.withheldHead(state.exchangeID))
        case .sendHead:
            sendHeldHead()
            flush()
        }
    }

    private func sendHeldHead() {
        guard state.withholdsHead else { return }
        finalHead()
        let isDelimited = state.request?.isChunked == true
        if !tell({ $0.withheldHeadSent(body.progress, isDelimited: isDelimited) }) { isLastSaid = true }
        output += 100
    }

    /// A running handler takes a random next action.
    private func stepHandler() {
        guard var plan = handler, plan.wait == .none else { return }
        note("handler \(plan.id) steps")
        if plan.isCancelled || !state.isCurrent(plan.id), random.chance(70) { return fallOver(plan) }
        if plan.readsLeft > 0, random.chance(60) {
            plan.readsLeft -= 1
            handler = plan
            return askForBody(plan.id)
        }
        if plan.isStream {
            guard plan.writesLeft > 0 else {
                if plan.fails { return fallOver(plan) }
                handler = nil
                endStream(plan.id)
                return endWork()
            }
            plan.writesLeft -= 1
            handler = plan
            return write(plan.id)
        }
        if plan.fails, random.chance(30) { return fallOver(plan) }
        guard state.isCurrent(plan.id) else {
            handler = nil
            return endWork()
        }
        if plan.writesLeft > 0, random.chance(40) {
            plan.isStream = true
            handler = plan
            return beginStream()
        }
        handler = nil
        send(plan)
        goOn()
        endWork()
    }

    /// The handler throws.
    private func fallOver(_ plan: Handler) {
        handler = nil
        if plan.isStream, state.isCurrent(plan.id), state.withholdsHead, !plan.isCancelled {
            tell { $0.streamWithdrawn() }
            send(plan)
            goOn()
        } else if state.isCurrent(plan.id) {
            execute(tell { $0.close() })
        }
        endWork()
    }

    private func beginWork() {
        workOutstanding += 1
        tell { $0.workBegan() }
    }

    private func endWork() {
        workOutstanding -= 1
        execute(tell { $0.workEnded() })
    }

    private func cancelHandler() { handler?.isCancelled = true }

    private func write(_ id: UInt64) {
        guard state.isCurrent(id), handler?.isCancelled == false, let plan = handler else { return }
        sendHeldHead()
        output += 1 + (plan.size & 0xFFFF)
        flush()
        guard state.isCurrent(id) else { return }
        switch tell({ $0.written(output: output) }) {
        case .none: break
        case .untilSent: handler?.wait = .writer
        case .untilNextTurn:
            handler?.wait = .writer
            later.append(.writers)
        }
    }

    private func endStream(_ id: UInt64) {
        guard state.isCurrent(id) else { return }
        sendHeldHead()
        output += 5
        finishExchange()
        goOn()
    }

    private func resumeWriters() {
        guard handler?.wait == .writer else { return fail("a writer is resumed that does not wait") }
        handler?.wait = .none
    }

    // MARK: Bodies

    private func askForBody(_ id: UInt64) {
        guard state.accessToBody(id) == .available, !body.hasFailed else { return }
        if unread > 0 {
            let bytes = unread
            let (taken, piece) = readBody(bytes)
            unread = body.hasFailed ? 0 : bytes - taken
            execute(tell { $0.queueTurnForUnread() })
            if piece > 0 || body.hasFailed { return }
        }
        waitForBody(id)
    }

    private func waitForBody(_ id: UInt64) {
        switch tell({ $0.awaitBody(body.progress, now) }) {
        case .finished:
            if state.withholdsHead {
                sendHeldHead()
                flush()
            }
        case .connectionClosed: break
        case .sendContinue:
            if !mayContinue { fail("100 after the final status, or twice") }
            mayContinue = false
            output += 25
            flush()
            if state.isCurrent(id) { waitForBody(id) }
        case .wait:
            applyDeadline()
            handler?.wait = .body
            execute(tell { $0.queueTurnForUnread() })
        }
    }

    /// - Returns: How many bytes were read, and how many of them are content.
    private func readBody(_ available: Int) -> (taken: Int, piece: Int) {
        let taken = min(available, body.total - body.taken)
        body.taken += taken
        if let limit = body.failsAt, body.taken > limit {
            body.hasFailed = true
            return (available, 0)
        }
        return (taken, body.isChunked && taken < 8 ? 0 : taken)
    }

    private func takeBody(_ available: Int) -> Int {
        guard handler?.wait == .body else {
            fail("the body is awaited by no handler")
            return 0
        }
        let (taken, piece) = readBody(available)
        if body.hasFailed {
            tell { $0.bodyFailed() }
            failBody()
            return available
        }
        switch tell({
            $0.bodyRead(isEmpty: piece == 0, isFinished: body.progress == .finished, now, Self.limits)
        }) {
        case .wait: return taken
        case .tooSlow:
            failBody()
            return available
        case .deliver:
            handler?.wait = .none
            applyDeadline()
            if piece == 0 { sendHeldHead() }
            return taken
        }
    }

    private func failBody() {
        guard handler?.wait == .body else { return }
        handler?.wait = .none
        handler?.readsLeft = 0
        applyDeadline()
    }

    private func discardBody(_ available: Int) -> Int {
        let (taken, _) = readBody(available)
        if body.hasFailed {
            execute(tell { $0.restOfBodyFailed() })
            return available
        }
        execute(tell { $0.restOfBodyRead(taken, isFinished: body.progress == .finished) })
        return taken
    }

    // MARK: Sending

    private func flush() {
        repeat {
            guard flushOutput() else { return }
        } while sendsMoreOfFile()
        guard !state.isClosed else { return }
        execute(tell { $0.outputSent(now) })
    }

    private func flushOutput() -> Bool {
        while output > 0, !state.isClosed {
            if isBroken {
                execute(tell { $0.close() })
                break
            }
            let sent = min(output, window)
            guard sent > 0 else {
                execute(tell { $0.outputBlocked(now) })
                execute(tell { $0.resumeWriters(output: output) })
                return false
            }
            if hasShutDown { fail("output after the end") }
            output -= sent
            window -= sent
            tell { $0.outputProgressed(now) }
        }
        return !state.isClosed
    }

    private func sendsMoreOfFile() -> Bool {
        var inTurn = 0
        while hasFile, !state.isClosed {
            guard fileLeft > 0 else {
                finishExchange()
                continueLater()
                return false
            }
            guard inTurn < Self.partOfFile else {
                continueLater()
                return false
            }
            let sent = min(fileLeft, window, Self.partOfFile - inTurn)
            guard sent > 0 else {
                execute(tell { isBroken ? $0.close() : $0.outputBlocked(now) })
                return false
            }
            fileLeft -= sent
            window -= sent
            inTurn += sent
            tell { $0.outputProgressed(now) }
        }
        return false
    }

    private func endOutput() {
        if isEncrypted, window == 0, random.chance(80) {
            execute(tell { $0.closureBlocked(now) })
        } else {
            execute(tell { $0.closureSent(now) })
        }
    }

    private func stop() {
        note("the server stops")
        tell { $0.stop() }
        if state.isNegotiating {
            if random.chance(50) { negotiate() }
            guard state.isNegotiating else { return }
        }
        if state.awaitsRequest {
            if output > 0 { flush() }
            if state.awaitsRequest, output == 0 { read(untilEnd: isEncrypted) }
        }
        execute(tell { $0.hurry(now, output: output, unread: unread) })
    }

    private func expire() {
        if state.isWriteOverdue(now) { flush() }
        if state.isWriteOverdue(now) { return execute(tell { $0.close() }) }
        let expiry = tell { $0.expire(now, output: output) }
        note("  expired: \(expiry)")
        switch expiry {
        case .none: break
        case .handshake, .parting, .lingering: execute(tell { $0.close() })
        case .idle: flush()
        case .head:
            refuse()
            flush()
        case .body: failBody()
        }
        applyDeadline()
    }

    private func release() {
        if isReleased { fail("released twice") }
        isReleased = true
        unread = 0
        hasFile = false
        isReadable = false
        isWritable = false
        handler?.isCancelled = true
        handler?.wait = .none
    }

    // MARK: Invariants

    /// Checks the invariants between two events.
    private func check() {
        guard breach == nil, !state.isClosed else { return }
        let isQueued = later.contains { if case .turn = $0 { true } else { false } }
        if isQueued != (state.resumption == .queued) {
            fail("a turn is queued and not known, or the reverse")
        }
        if loopDeadline > state.deadline { fail("the loop knows a later deadline") }
        if unread > Self.readByteCount + Self.largestHead { fail("\(unread) unread") }
        if output > Server.Limits.maxUnsentByteCount + Self.largestAnswer + 200 { fail("\(output) unsent") }
        if discarded > Server.Limits.maxDiscardedByteCount + Self.readByteCount {
            fail("\(discarded) discarded")
        }
        if !isQueued { checkNothingIsForgotten() }
        checkWait(isQueued)
    }

    /// Without a queued turn only the socket, the clock and the handler cause progress.
    private func checkNothingIsForgotten() {
        let hasInput = inSocket > 0 || clientHasEnded && !hasReadEnd
        if hasInput, !isReadable, !state.isNegotiating,
            state.room(unread: unread, capacity: Self.readByteCount) > 0
        {
            fail("\(state.phase) wants to read, and readiness is forgotten")
        }
        switch state.phase {
        case .idle, .discarding:
            if unread > 0 { fail("\(unread) bytes lie unread in \(state.phase)") }
            if hasReadEnd { fail("\(state.phase) waits for a client that has ended") }
        case .head:
            if unread == 0 { fail("a head of no bytes") }
            if hasReadEnd { fail("a head waits for a client that has ended") }
        default: break
        }
    }

    private func checkWait(_ isQueued: Bool) {
        let isBlocked = if case .blocked = state.sending { true } else { false }
        if output > 0, !isBlocked, !isQueued { fail("\(output) bytes lie unsent in \(state.phase)") }
        if isBlocked, output == 0, !hasFile, state.phase != .closing { fail("blocked without output") }
        switch state.state {
        case .answering(let exchange):
            if exchange.isBodyAwaited != (handler?.wait == .body) { fail("the body is awaited by one side") }
            if exchange.answer == .file, !isBlocked, !isQueued { fail("a file lies unsent") }
            let isWriterQueued = later.contains { if case .writers = $0 { true } else { false } }
            if handler?.wait == .writer, !isBlocked, !isWriterQueued { fail("a writer waits for nothing") }
        case .heldBack:
            if !isBlocked, !isQueued { fail("held back by nothing") }
        case .closing:
            if !isBlocked, !isQueued, state.deadline == .distantFuture { fail("closing without a deadline") }
        case .closed: break
        default:
            if state.deadline == .distantFuture { fail("\(state.phase) without a deadline") }
        }
    }
}
