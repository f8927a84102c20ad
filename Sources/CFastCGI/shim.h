#pragma once
#include <fcgiapp.h>

/// Prepares a request to be read from a connection that we accepted ourselves.
///
/// With `ipcFd` set `FCGX_Accept_r` does not accept; with `keepConnection` set its first act, finishing the request
/// before, leaves the connection open. `listen_sock` is -1, so that after a broken record the call returns instead of
/// waiting for another connection.
static inline void c_fcgi_adopt(FCGX_Request *request, int connection) {
    request->ipcFd = connection;
    request->keepConnection = 1;
}
