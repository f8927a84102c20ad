#pragma once
#include <fcgiapp.h>
#include <sys/epoll.h>

/// The event that the other side has closed its end, which glibc shows only to programs that ask for GNU extensions.
static const short c_pollrdhup = 0x2000;

/// Prepares a request to be read from a connection that we accepted ourselves.
///
/// With `ipcFd` set `FCGX_Accept_r` does not accept; with `keepConnection` set its first act, finishing the request
/// before, leaves the connection open. `listen_sock` is -1, so that after a broken record the call returns instead of
/// waiting for another connection.
static inline void c_fcgi_adopt(FCGX_Request *request, int connection) {
    request->ipcFd = connection;
    request->keepConnection = 1;
}

/// A descriptor on which one thread waits for a connection or for the word to drain.
///
/// Without `EPOLLEXCLUSIVE`: that tends to wake the same process again and again, which would then hold most connections
/// and take most requests with it when it dies. The few processes that wait race for a connection instead.
static inline int c_fcgi_waiter(int listening, int drain) {
    int waiter = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event connection = {.events = EPOLLIN};
    struct epoll_event word = {.events = EPOLLIN};
    epoll_ctl(waiter, EPOLL_CTL_ADD, listening, &connection);
    epoll_ctl(waiter, EPOLL_CTL_ADD, drain, &word);
    return waiter;
}

/// Waits until there may be something on either.
static inline void c_fcgi_wait(int waiter) {
    struct epoll_event event;
    epoll_wait(waiter, &event, 1, -1);
}
