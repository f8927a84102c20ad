internal import CCurl
import ThreadKit
import TimeKit

/// Many calls at once on one thread, for whoever makes hundreds of them: libcurl's multi interface.
///
/// One thread launches calls and collects their outcomes; any thread may wake it. Connections are kept and used again by
/// whichever call goes to the same host next, each judged anew before it is used. How many calls a host bears is not
/// decided here: whoever launches them decides.
@safe public final class Fleet {
    /// A call that is over.
    public struct Outcome: Sendable {
        /// What its launcher called it by.
        public let number: UInt64
        /// The answer, or why there was none.
        public let result: Result<OutboundResponse, ClientError>
    }

    private let client: Client
    private let multi: UnsafeMutableRawPointer
    private let alarm: Alarm
    /// The calls under way, by the addresses of their handles.
    private var voyages: [UInt: Voyage] = [:]

    /// A fleet that calls as the client does.
    ///
    /// - Parameter connections: how many idle connections are kept.
    public init(_ client: Client, connections: Int = 512) throws(ClientError) {
        // The library is readied by the first handle.
        _ = try EasyHandle()
        guard let made = unsafe curl_multi_init() else { throw ClientError(.other, detail: "out of memory") }
        unsafe c_curl_multi_set_connections(made, connections)
        self.client = client
        unsafe multi = made
        alarm = unsafe Alarm(made)
    }

    deinit {
        for voyage in voyages.values { unsafe voyage.leave(multi) }
        alarm.silence()
        unsafe curl_multi_cleanup(multi)
    }

    /// How many calls are under way.
    public var count: Int { voyages.count }

    /// Begins a call; its outcome comes from ``collect(waiting:)``. No redirect is followed.
    ///
    /// - Throws: `badURL`, `badHeader`; then nothing was sent.
    public func launch(_ request: OutboundRequest, number: UInt64) throws(ClientError) {
        let deadline = ContinuousClock.now + request.deadline
        let url = try ParsedURL(request.url, schemes: ["https", "http"])
        let host = url.origin
        let target = client.origins.targets[host]
        if let target { try url.redirect(to: target) }
        let exchange = Exchange(
            policy: target == nil ? client.policy : nil, bodyLimit: request.responseLimit,
            headerLimit: request.headerLimit, giveUpAt: deadline, isCut: request.cutsResponse)
        let voyage = Voyage(
            number, exchange, try request.lines(host: target == nil ? nil : host.authority), url, try EasyHandle())
        try client.configure(voyage.easy, until: deadline, connectDeadline: request.connectDeadline)
        try request.configure(voyage.easy)
        let address = try unsafe voyage.enter(multi)
        voyages[address] = voyage
    }

    /// Moves every call on, and gives those that are over.
    ///
    /// - Parameter wait: how long to wait for something to happen while none is over; a wake ends it.
    public func collect(waiting wait: Duration) throws(ClientError) -> [Outcome] {
        let outcomes = try perform()
        guard outcomes.isEmpty, wait > .zero else { return outcomes }
        unsafe curl_multi_poll(multi, nil, 0, Int32(clamping: max(1, Int(wait.milliseconds))), nil)
        return try perform()
    }

    /// Waits for the first call that is over; there must be one under way.
    public func first() throws(ClientError) -> Result<OutboundResponse, ClientError> {
        while true {
            if let outcome = try collect(waiting: .seconds(1)).first { return outcome.result }
            guard !voyages.isEmpty else { throw ClientError(.other, detail: "no call is under way") }
        }
    }

    /// Ends the wait of ``collect(waiting:)``, now or as soon as it begins; for any thread.
    public var wake: @Sendable () -> Void {
        let alarm = alarm
        return { alarm.ring() }
    }

    private func perform() throws(ClientError) -> [Outcome] {
        var running: Int32 = 0
        let code = unsafe curl_multi_perform(multi, &running)
        guard code == CURLM_OK else { throw Voyage.error(code) }
        var outcomes: [Outcome] = []
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            // The message is gone once its handle has left.
            let verdict = unsafe message.pointee.data.result
            let address = unsafe UInt(bitPattern: message.pointee.easy_handle)
            guard let voyage = voyages.removeValue(forKey: address) else { continue }
            outcomes.append(Outcome(number: voyage.number, result: voyage.result(verdict)))
            unsafe voyage.leave(multi)
        }
        return outcomes
    }
}

/// A call under way among others, and all that libcurl was lent for it.
@safe private final class Voyage {
    let number: UInt64
    let easy: EasyHandle
    private let exchange: Exchange
    private let lines: HeaderLines
    private let url: ParsedURL

    init(
        _ number: UInt64, _ exchange: Exchange, _ lines: consuming HeaderLines, _ url: consuming ParsedURL,
        _ easy: consuming EasyHandle
    ) {
        self.number = number
        self.exchange = exchange
        self.lines = lines
        self.url = url
        self.easy = easy
    }

    /// Begins, and gives the address by which libcurl will speak of it.
    func enter(_ multi: UnsafeMutableRawPointer) throws(ClientError) -> UInt {
        try exchange.attach(to: easy)
        try unsafe lines.lend { lines throws(ClientError) in
            try unsafe url.lend { url throws(ClientError) in
                try unsafe easy.set { handle in
                    unsafe [c_curl_set_url(handle, url), c_curl_set_list(handle, CURLOPT_HTTPHEADER, lines)]
                }
            }
        }
        return try unsafe easy.lend { handle throws(ClientError) in
            let code = unsafe curl_multi_add_handle(multi, handle)
            guard code == CURLM_OK else { throw Self.error(code) }
            return UInt(bitPattern: handle)
        }
    }

    /// Ends; the connection is kept when the answer was read to its end, and closed otherwise.
    func leave(_ multi: UnsafeMutableRawPointer) {
        unsafe easy.lend { _ = unsafe curl_multi_remove_handle(multi, $0) }
    }

    /// What came of it, once libcurl has said that it is over.
    func result(_ verdict: CURLcode) -> Result<OutboundResponse, ClientError> {
        guard verdict == CURLE_OK || exchange.isCutShort else {
            return .failure(easy.error(verdict, of: exchange, target: url.target))
        }
        return .success(
            OutboundResponse(
                status: easy.number(CURLINFO_RESPONSE_CODE), headers: exchange.headers, body: exchange.body,
                timing: easy.timing, peer: easy.peer))
    }

    static func error(_ code: CURLMcode) -> ClientError {
        unsafe ClientError(.other, detail: String(cString: curl_multi_strerror(code)))
    }
}

/// What other threads wake a fleet by, for as long as there is one.
private final class Alarm: Sendable {
    /// The multi handle as an address, 0 once it is gone.
    private let multi: Lock<UInt>

    init(_ multi: UnsafeMutableRawPointer) {
        self.multi = Lock(UInt(bitPattern: multi))
    }

    func ring() {
        multi.withLock { address in
            guard let handle = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return }
            unsafe curl_multi_wakeup(handle)
        }
    }

    func silence() {
        multi.withLock { $0 = 0 }
    }
}
