import ClientKit
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Calls a platform within a deadline, at its pace.
///
/// A platform that asks to be left in peace is, as long as the deadline holds; then whoever asked is told for how long.
struct PlatformCalls: Sendable {
    /// What people call the platform.
    let name: String
    let client: Client
    let now: @Sendable () -> Timestamp
    let rest: @Sendable (Duration) -> Void
    /// When everything must be over.
    let deadline: ContinuousClock.Instant
    /// What must not stand in words that are shown.
    let secrets: [String]

    /// How long one call may take.
    private static let longestCall = Duration.seconds(10)
    /// How often a platform that is busy is asked again.
    private static let mostAttempts = 6

    /// An answer of the platform.
    struct Answer: Sendable {
        let status: Int
        let headers: OutboundResponse.Headers
        /// Null when it was none.
        let body: JSON

        var isSuccess: Bool { (200...299).contains(status) }
    }

    /// Sends a request, again while the platform says that it comes too early.
    ///
    /// - Parameter busy: for how long an answer asks to be left in peace; nil when it does not.
    func send(
        _ request: OutboundRequest, isBusy busy: (Answer) -> Duration?
    ) throws(PlatformFailure) -> Answer {
        var attempts = 0
        while true {
            let answer = try once(request)
            attempts += 1
            let asked = busy(answer) ?? (Self.saysLater(answer.status) ? wait(answer.headers) ?? .seconds(1) : nil)
            guard let asked else { return answer }
            let pause = max(asked, .milliseconds(20))
            guard attempts < Self.mostAttempts, ContinuousClock.now + pause < deadline else {
                throw PlatformFailure(
                    .later(pause), "\(name) asks to be called less often (\(answer.status)). Try again later.")
            }
            rest(pause)
        }
    }

    /// 429 and 503 say that nothing was done (RFC 6585 §4, RFC 9110 §15.6.4).
    private static func saysLater(_ status: Int) -> Bool { status == 429 || status == 503 }

    private func wait(_ headers: OutboundResponse.Headers) -> Duration? {
        headers["retry-after"].flatMap { RetryAfter.wait($0, now: now()) }
    }

    private func once(_ request: OutboundRequest) throws(PlatformFailure) -> Answer {
        var request = request
        let left = deadline - .now
        guard left > .milliseconds(100) else {
            throw PlatformFailure(.later(.seconds(5)), "\(name) took too long to answer everything. Try again later.")
        }
        request.deadline = min(left, Self.longestCall)
        request.responseLimit = 2_097_152
        do throws(ClientError) {
            let response = try client.send(request)
            return Answer(
                status: response.status, headers: response.headers,
                body: (try? JSON(parsing: response.body)) ?? .null)
        } catch {
            throw PlatformFailure(error, name)
        }
    }

    /// What an answer of failure means.
    func failure(_ answer: Answer, _ words: String?) -> PlatformFailure {
        let said = said(words)
        switch answer.status {
        case 401: return PlatformFailure(.unauthorized, "\(name) refused these credentials (401).\(said)")
        case 404: return PlatformFailure(.missing, "\(name) has no such thing, or does not show it (404).\(said)")
        case 500...: return PlatformFailure(.ambiguous, "\(name) has trouble of its own (\(answer.status)).\(said)")
        default: return PlatformFailure(.refused, "\(name) refused this (\(answer.status)).\(said)")
        }
    }

    /// An answer that is no answer to the question.
    func nonsense() -> PlatformFailure {
        PlatformFailure(.ambiguous, "\(name) answered with something that is not understood here.")
    }

    /// The platform's words without secrets.
    func said(_ words: String?) -> String {
        guard let words, !words.isEmpty else { return "" }
        let concealed = secrets.filter { $0.utf8.count >= 4 }.reduce(words) { $0.replacing($1, with: "•••") }
        return " It said: “\(String(String.UnicodeScalarView(concealed.unicodeScalars.prefix(200))))”."
    }
}

extension OutboundRequest {
    /// A call that reads.
    static func get(_ url: String, _ credential: Secret<String>?) -> OutboundRequest {
        var request = OutboundRequest(method: .get, url: url, headers: [("Accept", "application/json")])
        if let credential { request.addHeader("Authorization", credential) }
        return request
    }

    /// A call that does something, once: a kept connection that turns out to be closed must not repeat it.
    static func post(_ url: String, _ body: JSON, _ credential: Secret<String>?) -> OutboundRequest {
        var request = OutboundRequest(
            method: .post, url: url,
            headers: [("Accept", "application/json"), ("Content-Type", "application/json; charset=utf-8")],
            body: body.bytes)
        if let credential { request.addHeader("Authorization", credential) }
        request.isSentOnce = true
        return request
    }
}
