import ClientKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import ThreadKit
import TimeKit

/// One call on its way to a service and back.
struct Relay: Sendable {
    private let room: Connections
    /// The connection with the credentials that the call carries.
    private var view: ConnectionView
    private let scope: OrganizationScope
    private let request: ProxyRequest
    private let log: Log
    /// Made once: it knows each secret in a dozen forms.
    private var conceal: Concealing?

    init(
        room: Connections, view: ConnectionView, scope: OrganizationScope, request: ProxyRequest, log: Log
    ) {
        self.room = room
        self.view = view
        self.scope = scope
        self.request = request
        self.log = log
        conceal = view.provider.map { Concealing($0, view.values) }
    }

    private mutating func use(_ live: ConnectionView) {
        guard live.record.grant.version != view.record.grant.version else { return }
        view = live
        conceal = view.provider.map { Concealing($0, live.values) }
    }

    // MARK: There

    /// Sends the call, once more where that helps, and gives the answer that the caller gets.
    ///
    /// - Throws: `Problem`, noted in the audit log.
    mutating func open(_ body: @autoclosure () throws -> ProxyBody, while isWanted: () -> Bool) throws -> OutboundStream
    {
        do {
            let provider = try usable()
            use(try room.live(view, by: scope))
            return try open(body(), provider, while: isWanted)
        } catch {
            let problem = Problem(presenting: error, requestID: scope.requestID)
            record(status: problem.status.code, error: problem.code)
            throw error
        }
    }

    private mutating func open(
        _ body: ProxyBody, _ provider: Provider, while isWanted: () -> Bool
    ) throws -> OutboundStream {
        let giveUpAt = ContinuousClock.now + room.proxyLimits.patience
        var patience = ProxyPatience(isBodyKept: body.isKept, isIdempotent: request.isIdempotent)
        while true {
            let stream = try send(body, provider, view.values, while: isWanted)
            let wait = retryAfter(stream, provider)
            switch patience.order(status: stream.status, retryAfter: wait, left: giveUpAt - .now) {
            case .handBack: return stream
            case .renew:
                let newer = try room.live(view, by: scope, forced: true)
                // A key that somebody typed is what it is.
                guard newer.record.grant.version != view.record.grant.version else { return stream }
                use(newer)
                stream.discard()
            case .wait(let duration):
                stream.discard()
                try rest(until: .now + duration, while: isWanted)
            }
        }
    }

    private func usable() throws(Problem) -> Provider {
        try Connections.requireReadable(view)
        guard let provider = view.provider else { throw .withoutProvider(view) }
        guard provider.proxy != nil else { throw .notProxied(provider) }
        return provider
    }

    private func send(
        _ body: ProxyBody, _ provider: Provider, _ values: [String: String], while isWanted: () -> Bool
    ) throws(Problem) -> OutboundStream {
        let target = try ProxyTarget(provider, request, values, payload: body.payload, at: room.world.now())
        var outbound = OutboundRequest(
            method: request.method, url: target.url, headers: target.headers, body: body.bytes,
            deadline: room.proxyLimits.deadline, responseLimit: room.proxyLimits.answerBytes)
        // > A client SHOULD NOT automatically retry a request with a non-idempotent method     RFC 9110 §9.2.2
        outbound.isSentOnce = !request.isIdempotent || provider.proxy?.isGetUnsafe == true
        let calls = room.serviceClient(view.record.id, of: scope.organization, provider.name)
        do throws(ServiceClient.Failure) {
            return try calls.open(outbound, sending: body.upload, idle: room.proxyLimits.idle, while: isWanted)
        } catch {
            switch error {
            case .rest(let rest): throw rest.problem
            case .client(let error):
                log.info("a service gave no answer to a call", ["error": .init(String(reflecting: error))])
                throw body.problem ?? Problem(calling: provider.name, error)
            }
        }
    }

    private func retryAfter(_ stream: OutboundStream, _ provider: Provider) -> Duration? {
        guard stream.status == 429 || stream.status == 503 else { return nil }
        let texts = (provider.proxy?.retryAfter ?? []).lazy.compactMap { stream.headers[$0] }
        return texts.compactMap { RetryAfter.wait($0, now: room.world.now()) }.first
    }

    /// Waits as long as anybody still wants the answer.
    private func rest(until end: ContinuousClock.Instant, while isWanted: () -> Bool) throws(Problem) {
        while ContinuousClock.now < end {
            guard isWanted() else { throw Problem(400, "abandoned", "Nobody waits for the answer any more.") }
            WorkerThread.rest(for: min(.milliseconds(200), end - .now))
        }
    }

    // MARK: Back

    /// The header fields that the caller gets.
    func headers(of stream: OutboundStream) -> HTTPKit.Headers {
        let returned = ProxyHeaders.returned(stream.headers)
        guard let conceal else { return returned }
        // Some repeat a secret, as where an address holds a token.
        var concealed = HTTPKit.Headers()
        returned.forEach { concealed.add($0, conceal($1, atMost: .max)) }
        return concealed
    }

    /// The answer to the caller, made while the service makes its own.
    func response(_ stream: OutboundStream, holding place: ProxyPlaces.Place) -> Response {
        let response = Response(status: Status(stream.status), headers: headers(of: stream))
        // What changes something is noted before the caller hears of it; what reads, after the caller has it.
        let isNotedFirst = !request.isSafe || request.method == .head
        if isNotedFirst { record(status: stream.status) }
        return Response(
            status: response.status, headers: response.headers,
            body: .relay { write, flush in
                defer { withExtendedLifetime(place) {} }
                do {
                    try stream.forEachPiece(write, while: flush)
                    _ = flush()
                } catch {
                    if !isNotedFirst { record(status: stream.status, error: "broke_off") }
                    throw error
                }
                if !isNotedFirst { record(status: stream.status) }
            })
    }

    // MARK: The audit log

    /// Notes the call. What was done is done, so a log that cannot be written is told to the operator and nobody else.
    func record(status: Int, error: String? = nil) {
        let shown = conceal?(request.path, atMost: 500) ?? ""
        let proxy = view.provider?.proxy
        let base = request.host == nil && proxy?.isOriginOnly != true ? Self.parts(of: proxy?.base.text).path : ""
        var details: [JSON.Member] = [
            .init("method", .string(request.method.rawValue)),
            .init("host", .string(host)),
            .init("path", .string(base + (proxy?.shownPrefix ?? "") + shown)),
            .init("status", .integer(Int64(status))),
        ]
        if let error { details.append(.init("error", .string(error))) }
        do {
            try room.audit.record(
                "connection.called", room.object(view), details: .object(details), by: scope, in: room.database)
        } catch {
            log.error("a call could not be noted in the audit log", ["error": .init(String(reflecting: error))])
        }
    }

    /// The host as the audit log may show it: a whole address that people set up can be a secret.
    private var host: String {
        if let host = request.host { return String(host.unicodeScalars.prefix(253)) }
        let written = Self.parts(of: view.provider?.proxy?.base.text).host
        guard written.contains("{"), !written.hasPrefix("{") || written.contains("}.") else { return written }
        return Holes.fill(written) { view.values[$0] }
    }

    /// An address as a provider file writes it, parted behind its host: `{base_url}` is one.
    private static func parts(of base: String?) -> (host: String, path: String) {
        let text = (base ?? "").dropFirst(base?.hasPrefix("https://") == true ? 8 : 0)
        let cut = text.firstIndex(of: "/") ?? text.endIndex
        return (String(text[..<cut]), String(text[cut...]))
    }
}

extension Problem {
    /// Why a service gave no answer, as tenants may know it.
    init(calling service: String, _ error: ClientError) {
        switch error.tenantCode {
        case .refusedAddress: self = .hostNotAllowed
        case .timedOut:
            self.init(
                504, "provider_timeout", "\(service) did not answer in time; it may still have done what was asked.")
        case .tooLarge:
            self.init(502, "answer_too_large", "The answer of \(service) is larger than this hub passes on.")
        case .badURL: self.init(400, "malformed_path", "The path or the query holds what an address cannot hold.")
        case .badHeader: self.init(400, "malformed_header", error.tenantSentence)
        case .abandoned: self.init(400, "abandoned", "Nobody waits for the answer any more.")
        default: self.init(502, "provider_unreachable", "\(service) gave no answer. \(error.tenantSentence)")
        }
    }
}
