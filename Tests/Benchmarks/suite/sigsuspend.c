// SPDX-License-Identifier: MIT
//
// Valgrind 3.19 writes into a program's mask for sigsuspend, and crashes if the mask is in read-only memory, as
// libdispatch's is. Preloaded, this library passes a copy.

#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
    sigset_t copy = *mask;
    return (int)syscall(SYS_rt_sigsuspend, &copy, 8);
}
