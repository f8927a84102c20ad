internal import CCurl
import Synchronization

/// A libcurl multi handle and the one easy handle that it drives, owned: its connections stay open from call to call.
///
/// A call on it moves step by step, so that whoever drives it can do something else between two steps, such as hand on
/// what has come.
@safe final class Session {
    private let multi: UnsafeMutableRawPointer
    let easy: EasyHandle

    init() throws(ClientError) {
        easy = try EasyHandle()
        guard let made = unsafe curl_multi_init() else { throw ClientError(.other, detail: "out of memory") }
        unsafe multi = made
        unsafe c_curl_multi_set_connections(multi, 4)
    }

    deinit {
        end()
        unsafe curl_multi_cleanup(multi)
    }

    /// Begins the transfer that the easy handle is set up for.
    func begin() throws(ClientError) {
        let code = unsafe easy.lend { unsafe curl_multi_add_handle(multi, $0) }
        guard code == CURLM_OK else { throw Self.error(code) }
    }

    /// Moves whatever can be moved without waiting; gives libcurl's verdict once the transfer is over.
    func step() throws(ClientError) -> CURLcode? {
        var running: Int32 = 0
        let code = unsafe curl_multi_perform(multi, &running)
        guard code == CURLM_OK else { throw Self.error(code) }
        guard running == 0 else { return nil }
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            if unsafe message.pointee.msg == CURLMSG_DONE { return unsafe message.pointee.data.result }
        }
        throw ClientError(.other, detail: "a transfer ended without a verdict")
    }

    /// Waits until something can be moved, or this long.
    func wait(milliseconds: Int) {
        unsafe curl_multi_poll(multi, nil, 0, Int32(clamping: milliseconds), nil)
    }

    /// Goes on with a transfer that waited for somebody to take its body.
    func resume() -> CURLcode {
        unsafe easy.lend { unsafe curl_easy_pause($0, CURLPAUSE_CONT) }
    }

    /// Ends the transfer; its connection is kept when the answer was read to its end, and closed otherwise.
    func end() {
        unsafe easy.lend { _ = unsafe curl_multi_remove_handle(multi, $0) }
        easy.reset()
    }

    private static func error(_ code: CURLMcode) -> ClientError {
        unsafe ClientError(.other, detail: String(cString: curl_multi_strerror(code)))
    }
}

/// Idle sessions of one client, kept as addresses like those of ``HandlePool`` and by the same rule.
final class SessionPool: Sendable {
    private let places = InlineArray<32, Atomic<UInt>> { _ in Atomic(0) }

    deinit {
        for place in 0..<places.count { _ = take(from: place) }
    }

    /// An idle session, or a new one. The first places are asked first, so few calls at once keep few sessions warm.
    func take() throws(ClientError) -> Session {
        for place in 0..<places.count {
            if let session = take(from: place) { return session }
        }
        return try Session()
    }

    private func take(from place: Int) -> Session? {
        guard let address = unsafe UnsafeRawPointer(bitPattern: places[place].exchange(0, ordering: .acquiring)) else {
            return nil
        }
        return unsafe Unmanaged<Session>.fromOpaque(address).takeRetainedValue()
    }

    /// Keeps a session for a later call, or ends it when no place is free.
    func give(_ session: Session) {
        let kept = unsafe Unmanaged.passRetained(session)
        let address = unsafe UInt(bitPattern: kept.toOpaque())
        for place in 0..<places.count
        where places[place].compareExchange(expected: 0, desired: address, ordering: .releasing).exchanged {
            return
        }
        unsafe kept.release()
    }
}
