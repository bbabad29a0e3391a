// SPDX-License-Identifier: MIT

// Annotates the slow path of Swift's Mutex on Linux for the thread sanitizer.
//
// An uncontended lock or unlock is an atomic operation in the instrumented code. A contended one is a futex call
// in libswiftSynchronization, which is not instrumented: the sanitizer then sees no order between the accesses
// before the unlock and those after the lock. Preloaded, this library wraps those functions and announces the
// order.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

void SWIFT lockSlow(uint32_t thread, SELF) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
bool SWIFT tryLockSlow(SELF) __asm__("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");
void SWIFT unlockSlow(SELF) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

void SWIFT lockSlow(uint32_t thread, SELF) {
    void SWIFT (*original)(uint32_t, SELF) = next("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
    original(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

bool SWIFT tryLockSlow(SELF) {
    bool SWIFT (*original)(SELF) = next("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");
    bool isLocked = original(self);
    if (isLocked && __tsan_acquire) __tsan_acquire(self);
    return isLocked;
}

void SWIFT unlockSlow(SELF) {
    void SWIFT (*original)(SELF) = next("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
    if (__tsan_release) __tsan_release(self);
    original(self);
}
