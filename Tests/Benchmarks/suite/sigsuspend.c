// SPDX-License-Identifier: MIT
//
// Valgrind 3.19 writes into the mask that a program gives to sigsuspend, and dies where that lies in read-only memory, as
// libdispatch's does. Preloaded, this gives it a copy.

#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
    sigset_t copy = *mask;
    return (int)syscall(SYS_rt_sigsuspend, &copy, 8);
}
