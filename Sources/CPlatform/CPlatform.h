// SPDX-License-Identifier: MIT
// Parts of the C library that Swift's Glibc module does not import. Header only: there is nothing to link.

#ifndef PORTCULLIS_CPLATFORM_H
#define PORTCULLIS_CPLATFORM_H

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// Aliases of the system's types that this module owns. Otherwise their owner depends on the order of imports, and
// declarations that use them would need different imports in different builds.
typedef struct sockaddr cplatform_sockaddr;
typedef struct sockaddr_storage cplatform_sockaddr_storage;
typedef socklen_t cplatform_socklen;

/// Sends a vector of buffers without raising SIGPIPE. Returns -1 and sets errno on failure.
static inline ssize_t cplatform_send(int descriptor, const struct iovec *buffers, int count) {
    struct msghdr message = {0};
    message.msg_iov = (struct iovec *)buffers;
    message.msg_iovlen = count;
#if defined(MSG_NOSIGNAL)
    return sendmsg(descriptor, &message, MSG_NOSIGNAL);
#else
    return sendmsg(descriptor, &message, 0);  // SO_NOSIGPIPE is set on the socket
#endif
}

/// Sends one buffer without raising SIGPIPE. Returns -1 and sets errno on failure.
static inline ssize_t cplatform_send_bytes(int descriptor, const void *bytes, size_t count) {
#if defined(MSG_NOSIGNAL)
    return send(descriptor, bytes, count, MSG_NOSIGNAL);
#else
    return send(descriptor, bytes, count, 0);  // SO_NOSIGPIPE is set on the socket
#endif
}

#if defined(__GLIBC__)
#include <malloc.h>

/// Returns the free pages of the heap to the system.
static inline void cplatform_return_free_memory(void) { malloc_trim(0); }
#else
static inline void cplatform_return_free_memory(void) {}
#endif

#if defined(__linux__)
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>

// Declared here instead of defining _GNU_SOURCE, which would change the C library's types from those that the
// Dispatch module has.
extern int accept4(int, struct sockaddr *__restrict, socklen_t *__restrict, int);

// Constants for macros that Swift's importer cannot evaluate.
static const unsigned int CPLATFORM_EPOLL_EVENTS = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
static const int CPLATFORM_EFD_NONBLOCK = EFD_NONBLOCK;
static const int CPLATFORM_EFD_CLOEXEC = EFD_CLOEXEC;
static const int CPLATFORM_EPOLL_CLOEXEC = EPOLL_CLOEXEC;
static const unsigned int CPLATFORM_EPOLLIN = EPOLLIN;
static const unsigned int CPLATFORM_EPOLLOUT = EPOLLOUT;
static const unsigned int CPLATFORM_EPOLLRDHUP = EPOLLRDHUP;
// The same bit as POLLRDHUP, which poll.h defines only with _GNU_SOURCE.
static const short CPLATFORM_POLLRDHUP = EPOLLRDHUP;
static const unsigned int CPLATFORM_EPOLLHUP = EPOLLHUP;
static const unsigned int CPLATFORM_EPOLLERR = EPOLLERR;

/// Sends a part of a file to a socket. Returns -1 and sets errno on failure.
///
/// sendfile has no MSG_NOSIGNAL, so SIGPIPE is blocked in this thread and consumed if this call raised it. It may
/// be raised even if the call returns a count: that of the bytes sent before the peer closed the connection.
static inline ssize_t cplatform_sendfile(int socket, int file, off_t offset, size_t count) {
    sigset_t pipe, previous, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &previous);
    sigemptyset(&pending);
    sigpending(&pending);
    ssize_t sent = sendfile(socket, file, &offset, count);
    int code = errno;
    bool failed = sent < 0 ? code == EPIPE : (size_t)sent < count;
    if (failed && !sigismember(&pending, SIGPIPE)) {
        struct timespec none = {0};
        while (sigtimedwait(&pipe, NULL, &none) < 0 && errno == EINTR) {}
    }
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    errno = code;
    return sent;
}

/// Accepts a connection, nonblocking and close-on-exec. Returns -1 and sets errno on failure.
static inline int cplatform_accept(int listener, struct sockaddr_storage *peer, socklen_t *length) {
    return accept4(listener, (struct sockaddr *)peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
#else
#include <fcntl.h>

// poll cannot report that the peer has shut down its side here.
static const short CPLATFORM_POLLRDHUP = 0;

/// Accepts a connection, nonblocking and close-on-exec. Returns -1 and sets errno on failure.
static inline int cplatform_accept(int listener, struct sockaddr_storage *peer, socklen_t *length) {
    int descriptor = accept(listener, (struct sockaddr *)peer, length);
    if (descriptor < 0) return -1;
    int one = 1;
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
    return descriptor;
}
#endif

#endif
