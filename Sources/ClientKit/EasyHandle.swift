internal import CCurl
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// One libcurl easy handle, owned: its end closes the connections it keeps.
@safe struct EasyHandle: ~Copyable {
    private let pointer: UnsafeMutableRawPointer

    /// Makes a handle, and readies the library before the first one.
    init() throws(ClientError) {
        Self.library
        guard let made = unsafe curl_easy_init() else { throw ClientError(.other, detail: "out of memory") }
        unsafe pointer = made
    }

    /// Takes over a handle that ``release()`` gave up.
    init(released address: UInt) {
        guard let made = unsafe UnsafeMutableRawPointer(bitPattern: address) else {
            preconditionFailure("a released handle has an address")
        }
        unsafe pointer = made
    }

    deinit { unsafe curl_easy_cleanup(pointer) }

    /// Forgets every option, but not the connections and TLS sessions, and gives the handle up as a number.
    consuming func release() -> UInt {
        unsafe curl_easy_reset(pointer)
        let address = unsafe UInt(bitPattern: pointer)
        discard self
        return address
    }

    /// Forgets every option, but not the TLS sessions.
    borrowing func reset() {
        unsafe curl_easy_reset(pointer)
    }

    /// Lends the handle to one call.
    borrowing func lend<Result, Failure: Error>(
        _ use: (UnsafeMutableRawPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe use(pointer)
    }

    /// Lends the handle to calls that set options; each must succeed, since an option may be what makes a call safe.
    borrowing func set(_ calls: (UnsafeMutableRawPointer) -> [CURLcode]) throws(ClientError) {
        for code in unsafe calls(pointer) where code != CURLE_OK {
            throw unsafe ClientError(
                .other, detail: "libcurl refused an option: \(String(cString: curl_easy_strerror(code)))")
        }
    }

    /// Runs the transfer.
    borrowing func perform() -> CURLcode {
        unsafe curl_easy_perform(pointer)
    }

    /// Reads a whole number about the last transfer.
    borrowing func number(_ info: CURLINFO) -> Int {
        unsafe c_curl_get_long(pointer, info)
    }

    /// Reads a time of the last transfer, counted from its start.
    borrowing func time(_ info: CURLINFO) -> Duration {
        unsafe .microseconds(c_curl_get_time(pointer, info))
    }

    /// Reads a text about the last transfer.
    borrowing func text(_ info: CURLINFO) -> String {
        guard let text = unsafe c_curl_get_string(pointer, info) else { return "" }
        return unsafe String(cString: text)
    }

    /// Readies libcurl once per process.
    ///
    /// With `CURLOPT_NOSIGNAL` libcurl no longer ignores SIGPIPE, and OpenSSL writes without `MSG_NOSIGNAL`: a server that
    /// hangs up would end the process. So the signal is ignored, unless the program already handles it.
    private static let library: Void = {
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        var action = sigaction()
        if unsafe sigaction(SIGPIPE, nil, &action) == 0, unsafe action.__sigaction_handler.sa_handler == nil {
            signal(SIGPIPE, SIG_IGN)
        }
    }()
}

/// Idle handles of one client, so that a later call finds an open connection or a TLS session to resume.
final class HandlePool: Sendable {
    /// Handles as addresses, since pointers do not travel between threads; 0 is a free place. Whoever swaps an address out
    /// for 0 owns the handle, so no lock is needed.
    private let places = InlineArray<16, Atomic<UInt>> { _ in Atomic(0) }
    private let capacity: Int

    /// A pool that keeps at most this many handles, 16 if it is more.
    init(capacity: Int) {
        self.capacity = min(capacity, places.count)
    }

    deinit {
        for place in 0..<capacity {
            let address = places[place].exchange(0, ordering: .acquiring)
            if address != 0 { _ = EasyHandle(released: address) }
        }
    }

    /// Lends an idle handle, or a new one. The first places are asked first, so few calls at once keep few handles warm.
    func lend<Result>(
        _ use: (borrowing EasyHandle) throws(ClientError) -> Result
    ) throws(ClientError) -> Result {
        let handle = try take()
        do throws(ClientError) {
            let result = try use(handle)
            give(handle)
            return result
        } catch {
            give(handle)
            throw error
        }
    }

    private func take() throws(ClientError) -> EasyHandle {
        for place in 0..<capacity {
            let address = places[place].exchange(0, ordering: .acquiring)
            if address != 0 { return EasyHandle(released: address) }
        }
        return try EasyHandle()
    }

    /// Keeps a handle for a later call, or ends it when no place is free.
    private func give(_ handle: consuming EasyHandle) {
        let address = handle.release()
        for place in 0..<capacity
        where places[place].compareExchange(expected: 0, desired: address, ordering: .releasing).exchanged {
            return
        }
        _ = EasyHandle(released: address)
    }
}
