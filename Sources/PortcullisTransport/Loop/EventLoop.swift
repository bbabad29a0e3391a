// SPDX-License-Identifier: MIT

package import Dispatch
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A serial queue with a readiness set; its connections and their request handlers run on it, on one thread
/// at a time.
///
/// As a `SerialExecutor` it runs the actors pinned to it, as a `TaskExecutor` the handlers. A job enqueued on
/// the loop runs in the same turn; a job from another thread goes through the queue. Like a thread, it lives
/// until ``shutDown()``: its sources retain it, because a weak reference would slow down every retain.
// SAFETY: mutable state is used only on `queue`, except for atomics and `wake`, which is set once in `init`.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    /// The maximum number of batches of events in one turn, before other work on the queue runs.
    private static let batchesPerTurn = 64
    /// How long a turn waits for more events before the thread returns to Dispatch, in milliseconds.
    ///
    /// Under load more events arrive soon, and a wake-up by Dispatch costs two thread switches.
    private static let lingerMilliseconds: Int32 = 2

    package let index: Int
    package let queue: DispatchQueue
    /// Whether the readiness set must be rearmed after each event.
    private let needsRearming: Bool
    private let owner = Atomic<UInt>(0)
    /// Whether the loop's thread waits in a poll, which work from other threads must end.
    private let isLingering = Atomic<Bool>(false)
    /// The number of work items from other threads in the queue.
    private let submittedCount = Atomic<Int>(0)
    private var wake: @Sendable () -> Void = {}

    // SAFETY: no access to these is in progress while a handler, a job or other work runs: each item is taken
    // out before it is called. Every turn uses them several times, and the run-time checks are expensive.
    @exclusivity(unchecked) private var registrations: [Registration?] = []
    @exclusivity(unchecked) private var readyJobs: [UnownedJob] = []
    @exclusivity(unchecked) private var laterWork: [@Sendable () -> Void] = []
    @exclusivity(unchecked) private var costlyWork = CostlyWork()
    @exclusivity(unchecked) private var turnInstant = MonotonicInstant.now()

    /// The number of events that caused no costly work, since the last share.
    private var cheapEventCount = 0
    /// Whether the queue holds the block that continues unfinished work; there is at most one.
    private var isResumptionQueued = false
    private var readinessSet: (any ReadinessSet)?
    private var jobWatch: (nanoseconds: UInt64, report: (UInt64) -> Void)?
    private var generation: UInt32 = 0
    private var wheel: TimerWheel
    private var timer: (any DispatchSourceTimer)?
    private var armedTick = UInt64.max
    /// The work to do when the loop ends, by owner.
    private var lastWork: [ObjectIdentifier: () -> Void] = [:]
    /// Whether the loop has been shut down; read it on the loop.
    package private(set) var hasEnded = false

    /// The instant of the current turn, read once per turn.
    // Computed, since the attribute of a stored property does not reach other modules.
    package var now: MonotonicInstant { turnInstant }

    private struct Registration {
        let handler: any ReadinessHandler
        let generation: UInt32
        var deadline = MonotonicInstant.distantFuture
        /// The tick at which the wheel returns this registration; `.max` if it is not in the wheel.
        var wheelTick = UInt64.max
    }

    /// Creates a loop and starts it.
    package init(index: Int = 0, readiness: ReadinessKind = .preferred) throws(SocketError) {
        self.index = index
        needsRearming = readiness == .dispatchSources
        queue = DispatchQueue(label: "portcullis.loop.\(index)", autoreleaseFrequency: .never)
        wheel = TimerWheel(at: TimerWheel.tick(at: turnInstant))
        queue.setSpecific(key: Self.key, value: Unowned(loop: self))
        switch readiness {
        #if os(Linux)
            case .epoll:
                readinessSet = try EpollReadinessSet(queue: queue) { self.turn() }
        #endif
        case .dispatchSources:
            readinessSet = DispatchReadinessSet(queue: queue) { readiness, descriptor, generation in
                self.turn(readiness, descriptor, generation)
            }
        }
        if let readinessSet { wake = readinessSet.wake }
    }

    private struct Unowned: Sendable { unowned let loop: EventLoop }
    private static let key = DispatchSpecificKey<Unowned>()

    /// The loop that the caller runs on, or `nil`.
    package static var current: EventLoop? {
        DispatchQueue.getSpecific(key: key)?.loop
    }

    // MARK: Executor

    /// Whether the caller runs on this loop.
    package var isCurrent: Bool { owner.load(ordering: .relaxed) == Self.threadIdentity }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard !isCurrent else {
            readyJobs.append(job)
            return
        }
        submit { self.run(job) }
    }

    /// Submits work to the queue, and ends the loop's poll if it waits for sockets.
    private func submit(_ work: @escaping @Sendable () -> Void) {
        submittedCount.add(1, ordering: .sequentiallyConsistent)
        queue.async {
            self.submittedCount.subtract(1, ordering: .relaxed)
            self.onLoop(work)
        }
        if isLingering.load(ordering: .sequentiallyConsistent) { wake() }
    }

    package func checkIsolated() {
        precondition(isCurrent, "The caller does not run on the event loop that it is pinned to.")
    }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Runs a closure on the loop: at once if the caller runs on it, otherwise later.
    package func execute(_ work: @escaping @Sendable () -> Void) {
        if isCurrent { return work() }
        submit(work)
    }

    /// Runs a closure on the loop after the work that is ready now.
    package func executeLater(_ work: @escaping @Sendable () -> Void) {
        guard isCurrent else { return submit(work) }
        laterWork.append(work)
    }

    /// Runs a closure that takes some tens of microseconds after the cheap work of a turn, within a share of
    /// its time.
    package func executeCostly(_ work: @escaping @Sendable () -> Void) {
        guard isCurrent else { return submit { self.costlyWork.append(work) } }
        costlyWork.append(work)
    }

    /// Suspends until the loop has time for some tens of microseconds of work.
    package func awaitShare() async {
        await withCheckedContinuation { continuation in executeCostly { continuation.resume() } }
    }

    // MARK: Descriptors, on the loop

    /// Watches a non-blocking descriptor.
    ///
    /// Retains the handler until ``close(_:)``.
    package func watch(_ descriptor: Int32, _ handler: any ReadinessHandler) throws(SocketError) {
        checkIsolated()
        let slot = Int(descriptor)
        while registrations.count <= slot { registrations.append(nil) }
        generation &+= 1
        registrations[slot] = Registration(handler: handler, generation: generation)
        do throws(SocketError) {
            try readinessSet?.add(descriptor, generation: generation)
        } catch {
            registrations[slot] = nil
            throw error
        }
    }

    /// Moves a watched descriptor to another handler, and removes its deadline.
    ///
    /// Readiness that the first handler received is not reported again.
    package func handOver(_ descriptor: Int32, to handler: any ReadinessHandler) {
        checkIsolated()
        guard let old = registrations[Int(descriptor)] else { return }
        registrations[Int(descriptor)] = Registration(
            handler: handler, generation: old.generation, wheelTick: old.wheelTick)
        withExtendedLifetime(old) {}
    }

    /// Requests the next readiness event, after a call on the descriptor would have blocked.
    package func rearm(_ descriptor: Int32, for directions: Readiness) {
        if needsRearming { readinessSet?.rearm(descriptor, for: directions) }
    }

    /// Stops watching a descriptor and closes it.
    package func close(_ descriptor: Int32) {
        checkIsolated()
        guard registrations.indices.contains(Int(descriptor)), let old = registrations[Int(descriptor)] else {
            return
        }
        registrations[Int(descriptor)] = nil
        readinessSet?.close(descriptor)
        // Releasing a handler may close others, and must not happen while the table is being changed.
        withExtendedLifetime(old) {}
    }

    /// Sets, moves or (with `.distantFuture`) removes the one deadline of a descriptor.
    ///
    /// Moving a deadline later costs one store.
    package func setDeadline(_ deadline: MonotonicInstant, for descriptor: Int32) {
        let slot = Int(descriptor)
        guard registrations[slot] != nil else { return }
        registrations[slot]?.deadline = deadline
        guard deadline != .distantFuture else { return }
        let tick = TimerWheel.tick(notBefore: deadline)
        guard tick < registrations[slot]?.wheelTick ?? 0 else { return }
        putIntoWheel(slot, at: tick)
    }

    private func putIntoWheel(_ slot: Int, at tick: UInt64) {
        guard let generation = registrations[slot]?.generation else { return }
        _ = wheel.advance(to: wheel.isEmpty ? TimerWheel.tick(at: now) : 0)
        let due = wheel.insert(UInt64(generation) << 32 | UInt64(slot), at: tick)
        registrations[slot]?.wheelTick = due
        arm(at: due)
    }

    /// Sets the closure to call when the loop ends, or removes it with `nil`.
    ///
    /// Call it on the loop.
    package func setLastWork(of owner: AnyObject, _ work: (() -> Void)?) {
        checkIsolated()
        lastWork[ObjectIdentifier(owner)] = work
    }

    /// Ends the loop: stops watching, and closes every registered descriptor.
    package func shutDown() {
        execute { [self] in
            hasEnded = true
            let works = lastWork.values
            lastWork = [:]
            for work in works { work() }
            for slot in registrations.indices where registrations[slot] != nil { close(Int32(slot)) }
            readinessSet?.invalidate()
            readinessSet = nil
            timer?.cancel()
            timer = nil
            jobWatch = nil
        }
    }

    // MARK: Turns

    private func turn() {
        onLoop {
            for _ in 0..<Self.batchesPerTurn {
                let events = mayLinger ? linger() : readinessSet?.poll(wait: 0) ?? 0
                // Read the clock after the wait: waiting must not count as cheap work, because costly work
                // gets a share of that time.
                turnInstant = .now()
                readinessSet?.deliver(events, to: self)
                runReadyJobs()
                runLaterWork()
                runCostlyWork()
                if events == 0, laterWork.isEmpty, costlyWork.isEmpty { return }
                // Costly work can fill every batch; work from other threads must not wait for all of them.
                if !costlyWork.isEmpty, submittedCount.load(ordering: .relaxed) > 0 { return }
            }
        }
    }

    /// Whether no other work waits for the thread.
    private var mayLinger: Bool { !hasWork && submittedCount.load(ordering: .relaxed) == 0 }

    /// Polls, and waits briefly for events.
    private func linger() -> Int {
        isLingering.store(true, ordering: .sequentiallyConsistent)
        defer { isLingering.store(false, ordering: .relaxed) }
        // `submit` counts first and then checks the flag, so one of the two sees the other.
        guard submittedCount.load(ordering: .sequentiallyConsistent) == 0 else { return 0 }
        return readinessSet?.poll(wait: Self.lingerMilliseconds) ?? 0
    }

    private func turn(_ readiness: Readiness, _ descriptor: Int32, _ generation: UInt32) {
        onLoop {
            (readinessSet as? DispatchReadinessSet)?.fellAsleep(descriptor, readiness)
            deliver(readiness, to: descriptor, generation: generation)
        }
    }

    /// Passes an event to the descriptor's handler, unless the descriptor's number has been reused since.
    @inline(__always)
    func deliver(_ readiness: Readiness, to descriptor: Int32, generation: UInt32) {
        let slot = Int(descriptor)
        guard slot < registrations.count, let registration = registrations[slot],
            registration.generation == generation
        else { return }
        let arrivals = costlyWork.arrivalCount
        registration.handler.ready(readiness)
        if costlyWork.arrivalCount == arrivals { cheapEventCount &+= 1 }
    }

    private func onLoop(_ work: () -> Void) {
        owner.store(Self.threadIdentity, ordering: .relaxed)
        turnInstant = .now()
        work()
        runReadyJobs()
        owner.store(0, ordering: .relaxed)
        guard hasWork, !isResumptionQueued else { return }
        isResumptionQueued = true
        queue.async {
            self.onLoop {
                self.isResumptionQueued = false
                self.runLaterWork()
                self.runCostlyWork()
            }
        }
    }

    private var hasWork: Bool { !readyJobs.isEmpty || !laterWork.isEmpty || !costlyWork.isEmpty }

    /// Runs ready jobs, and jobs that become ready meanwhile, up to a bound: a task that yields forever must
    /// not block the sockets.
    private func runReadyJobs() {
        for _ in 0..<16 where !readyJobs.isEmpty {
            let batch = readyJobs
            readyJobs.removeAll(keepingCapacity: true)
            for job in batch { run(job) }
        }
    }

    private func runLaterWork() {
        guard !laterWork.isEmpty else { return }
        let batch = laterWork
        laterWork.removeAll(keepingCapacity: true)
        for work in batch { work() }
        runReadyJobs()
    }

    /// Runs costly work for its share of this turn's time, at least one piece.
    private func runCostlyWork() {
        guard !costlyWork.isEmpty else { return }
        let start = MonotonicInstant.now()
        let share = costlyWork.beginShare(
            spent: start.nanoseconds &- now.nanoseconds, cheapEvents: cheapEventCount, at: start)
        cheapEventCount = 0
        let end = start.advanced(byNanoseconds: share)
        repeat {
            guard let work = costlyWork.next() else { return }
            work()
            runReadyJobs()
        } while MonotonicInstant.now() < end
    }

    @inline(__always)
    private func run(_ job: UnownedJob) {
        guard let jobWatch else { return runNow(job) }
        let start = MonotonicInstant.coarse().nanoseconds
        runNow(job)
        let held = MonotonicInstant.coarse().nanoseconds &- start
        if held > jobWatch.nanoseconds { jobWatch.report(held) }
    }

    @inline(__always)
    private func runNow(_ job: UnownedJob) {
        job.runSynchronously(
            isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }

    /// Reports jobs that occupy the thread for longer than this many nanoseconds.
    ///
    /// Call it on the loop.
    package func watchJobs(longerThan nanoseconds: UInt64, report: @escaping (_ held: UInt64) -> Void) {
        checkIsolated()
        jobWatch = (nanoseconds, report)
    }

    // MARK: Deadlines

    private func arm(at tick: UInt64) {
        guard tick < armedTick else { return }
        armedTick = tick
        let timer = timer ?? makeTimer()
        let instant = DispatchTime(
            uptimeNanoseconds: DispatchTime.now().uptimeNanoseconds &+ nanoseconds(until: tick))
        timer.schedule(deadline: instant, leeway: .milliseconds(5))
    }

    private func nanoseconds(until tick: UInt64) -> UInt64 {
        let due = tick << TimerWheel.tickShift
        let instant = MonotonicInstant.now().nanoseconds
        return due > instant ? due - instant : 0
    }

    private func makeTimer() -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { self.timerFired() }
        self.timer = timer
        timer.resume()
        return timer
    }

    private func timerFired() {
        onLoop {
            armedTick = .max
            for entry in wheel.advance(to: TimerWheel.tick(at: now)) {
                expire(Int(truncatingIfNeeded: entry & 0xFFFF_FFFF), UInt32(truncatingIfNeeded: entry >> 32))
            }
            if let next = wheel.nextTick { arm(at: next) }
        }
    }

    private func expire(_ slot: Int, _ generation: UInt32) {
        guard let registration = registrations[slot], registration.generation == generation,
            registration.wheelTick <= TimerWheel.tick(at: now)
        else { return }
        registrations[slot]?.wheelTick = .max
        guard registration.deadline != .distantFuture else { return }
        guard registration.deadline <= now else {
            return putIntoWheel(slot, at: TimerWheel.tick(notBefore: registration.deadline))
        }
        registrations[slot]?.deadline = .distantFuture
        registration.handler.deadlinePassed()
    }

    private static var threadIdentity: UInt {
        #if canImport(Glibc)
            pthread_self()
        #else
            UInt(bitPattern: pthread_self())
        #endif
    }
}
