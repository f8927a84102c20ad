#pragma once
#include <curl/curl.h>

// Doors to libcurl 7.88 and later. `curl_easy_setopt` and `curl_easy_getinfo` are variadic, and Swift imports no variadic C
// function; each door below fixes the type of the third argument, so that a wrong one does not compile.

/// Sets an option that takes a whole number or a truth.
static inline CURLcode c_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

/// Sets an option that takes a size of any width (`CURLOPTTYPE_OFF_T`).
static inline CURLcode c_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

/// Sets an option that takes text. libcurl copies it; null means the option's default.
static inline CURLcode c_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

/// Sets an option that takes a pointer for callbacks, or bytes that libcurl copies by a size set before.
static inline CURLcode c_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
    return curl_easy_setopt(handle, option, value);
}

/// Sets an option that takes a list. libcurl does not copy it: it must outlive the transfer.
static inline CURLcode c_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

/// Sets the parsed URL. libcurl copies it when the transfer starts.
static inline CURLcode c_curl_set_url(CURL *handle, CURLU *value) {
    return curl_easy_setopt(handle, CURLOPT_CURLU, value);
}

/// Sets an option that takes bytes in memory; libcurl copies them.
static inline CURLcode c_curl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = { (void *)bytes, count, CURL_BLOB_COPY };
    return curl_easy_setopt(handle, option, &blob);
}

/// Sets who receives the body, piece by piece.
static inline CURLcode c_curl_set_write(CURL *handle, curl_write_callback receive) {
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive);
}

/// Sets who gives the next bytes of what is sent, a request's body or a mail.
static inline CURLcode c_curl_set_read(CURL *handle, curl_read_callback give) {
    return curl_easy_setopt(handle, CURLOPT_READFUNCTION, give);
}

/// Sets how many idle connections a multi handle keeps.
static inline CURLMcode c_curl_multi_set_connections(CURLM *handle, long count) {
    return curl_multi_setopt(handle, CURLMOPT_MAXCONNECTS, count);
}

/// Sets who receives the lines of the header; for SMTP, every line the server says.
static inline CURLcode c_curl_set_header(CURL *handle, curl_write_callback receive) {
    return curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, receive);
}

/// Sets who opens the socket, and so sees each address before a packet goes there.
static inline CURLcode c_curl_set_open_socket(CURL *handle, curl_opensocket_callback open) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open);
}

/// Sets who is asked before a request goes out on a connection, a reused one too.
static inline CURLcode c_curl_set_before_request(CURL *handle, curl_prereq_callback ask) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, ask);
}

/// Sets who is asked, about once a second, whether to go on.
static inline CURLcode c_curl_set_progress(CURL *handle, curl_xferinfo_callback ask) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, ask);
}

/// Reads a whole number; 0 where there is none.
static inline long c_curl_get_long(CURL *handle, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}

/// Reads a time in microseconds; 0 where there is none.
static inline curl_off_t c_curl_get_time(CURL *handle, CURLINFO info) {
    curl_off_t value = 0;
    return curl_easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}

/// Reads text that libcurl owns until the handle's next transfer; null where there is none.
static inline const char *c_curl_get_string(CURL *handle, CURLINFO info) {
    const char *value = NULL;
    return curl_easy_getinfo(handle, info, &value) == CURLE_OK ? value : NULL;
}
