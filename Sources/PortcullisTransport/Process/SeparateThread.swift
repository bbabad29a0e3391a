// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A thread for one piece of work that needs much memory for a short time.
///
/// The allocator of glibc gives each thread a heap of its own. What this work allocates therefore does not
/// lie between what other threads keep, so that ``FreeMemory/giveBack()`` can return nearly all of it.
package enum SeparateThread {
    /// Runs the work on a new thread and waits for it; on the caller's thread if none can be created.
    ///
    /// Blocks the caller's thread.
    package static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) -> Value {
        let slot = Slot<Value>()
        let job = Job { slot.value = work() }
        if !job.runOnNewThread() { job.work() }
        guard let value = slot.value else { return work() }
        return value
    }

    // SAFETY: the thread writes the value before it ends, and the caller reads it after that.
    private final class Slot<Value: Sendable>: @unchecked Sendable {
        var value: Value?
    }

    private final class Job: Sendable {
        let work: @Sendable () -> Void

        init(work: @escaping @Sendable () -> Void) {
            self.work = work
        }

        /// Whether the work ran on a thread of its own, which has ended.
        func runOnNewThread() -> Bool {
            // SAFETY: this object lives until the thread has ended.
            let context = Unmanaged.passUnretained(self).toOpaque()
            #if canImport(Darwin)
                var thread: pthread_t?
                let status = pthread_create(
                    &thread, nil,
                    { context in
                        // SAFETY: the caller keeps the object until the thread has ended.
                        Unmanaged<Job>.fromOpaque(context).takeUnretainedValue().work()
                        return nil
                    }, context)
                guard status == 0, let thread else { return false }
            #else
                var thread = pthread_t()
                let status = pthread_create(
                    &thread, nil,
                    { context in
                        // SAFETY: the caller keeps the object until the thread has ended.
                        if let context { Unmanaged<Job>.fromOpaque(context).takeUnretainedValue().work() }
                        return nil
                    }, context)
                guard status == 0 else { return false }
            #endif
            return withExtendedLifetime(self) { pthread_join(thread, nil) == 0 }
        }
    }
}
