// SPDX-License-Identifier: MIT

internal import Dispatch

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Readiness from two Dispatch sources for each descriptor, each suspended from its event to the next rearm.
final class DispatchReadinessSet: ReadinessSet {
    private struct Watch {
        let read: any DispatchSourceRead
        let write: any DispatchSourceWrite
        var asleep: Readiness = []
    }

    private let queue: DispatchQueue
    private let deliver: @Sendable (Readiness, Int32, UInt32) -> Void
    private var watches: [Int32: Watch] = [:]

    init(queue: DispatchQueue, deliver: @escaping @Sendable (Readiness, Int32, UInt32) -> Void) {
        self.queue = queue
        self.deliver = deliver
    }

    func add(_ descriptor: Int32, generation: UInt32) throws(SocketError) {
        let read = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        let write = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
        let deliver = deliver
        read.setEventHandler { deliver(.readable, descriptor, generation) }
        write.setEventHandler { deliver(.writable, descriptor, generation) }
        watches[descriptor] = Watch(read: read, write: write)
        read.resume()
        write.resume()
    }

    /// Suspends the source of an event, which would otherwise report the same readiness forever.
    func fellAsleep(_ descriptor: Int32, _ direction: Readiness) {
        guard let watch = watches[descriptor], watch.asleep.isDisjoint(with: direction) else { return }
        if direction.contains(.readable) { watch.read.suspend() } else { watch.write.suspend() }
        watches[descriptor]?.asleep.formUnion(direction)
    }

    func rearm(_ descriptor: Int32, for directions: Readiness) {
        guard let watch = watches[descriptor] else { return }
        let wake = watch.asleep.intersection(directions)
        if wake.contains(.readable) { watch.read.resume() }
        if wake.contains(.writable) { watch.write.resume() }
        watches[descriptor]?.asleep.subtract(wake)
    }

    /// Closes the descriptor after both sources are cancelled: otherwise its number could be reused too
    /// early.
    func close(_ descriptor: Int32) {
        guard let watch = watches.removeValue(forKey: descriptor) else { return }
        let group = DispatchGroup()
        group.enter()
        group.enter()
        watch.read.setCancelHandler { group.leave() }
        watch.write.setCancelHandler { group.leave() }
        watch.read.cancel()
        watch.write.cancel()
        // A suspended source never calls its cancel handler.
        if watch.asleep.contains(.readable) { watch.read.resume() }
        if watch.asleep.contains(.writable) { watch.write.resume() }
        group.notify(queue: queue) { _ = systemClose(descriptor) }
    }

    func poll(wait: Int32) -> Int { 0 }

    func deliver(_ count: Int, to loop: EventLoop) {}

    /// Does nothing: only Dispatch waits.
    let wake: @Sendable () -> Void = {}

    func invalidate() {
        for descriptor in watches.keys { close(descriptor) }
    }
}

private func systemClose(_ descriptor: Int32) -> Int32 {
    #if canImport(Glibc)
        Glibc.close(descriptor)
    #else
        Darwin.close(descriptor)
    #endif
}
