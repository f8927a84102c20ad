import ClientKit
import Domain
import LogKit
import TimeKit

/// Where a webhook's deliveries go and what they are signed with, opened.
struct Destination: Sendable {
    let webhook: Identifier<Webhook>
    let organization: Identifier<Organization>
    /// Scheme, host and port: what a cap on deliveries at once is counted by.
    let receiver: String
    let url: Secret<String>
    let headers: [(name: String, value: Secret<String>)]
    let secrets: [SigningSecret]
}

/// Why a delivery is sent.
enum Cause: String, Sendable, CaseIterable {
    /// The event had happened, or it was time to try again.
    case schedule
    /// Somebody wanted it sent again, alone or with others.
    case manual
    /// Somebody tried the webhook.
    case test
}

/// A claimed delivery with all that its sending needs.
struct Parcel: Sendable {
    let delivery: Identifier<Delivery>
    let event: Identifier<Event>
    /// By which its row is known to be still ours.
    let token: [UInt8]
    let leaseEnds: Timestamp
    /// How many attempts there were before, in all and in this round.
    let attempts: Int
    let tries: Int
    let cause: Cause
    /// After how many failures of this round it makes way for those behind it; nil when nothing waits for it.
    let givesUpAfter: Int?
    let destination: Destination
    let body: [UInt8]

    /// How long an attempt may take until the connection stands.
    static let connectDeadline = Duration.seconds(5)
    /// How much of an answer is kept.
    static let answerBytes = 20_000

    /// The call that delivers it, signed for this moment; the id is the same on every attempt.
    ///
    /// - Parameter timeout: how long the attempt may take in all.
    func request(at now: Timestamp, timeout: Duration) -> OutboundRequest {
        var request = OutboundRequest(
            method: .post, url: destination.url.reveal { $0 }, headers: signed(at: now), body: body,
            deadline: timeout, connectDeadline: Self.connectDeadline, responseLimit: Self.answerBytes)
        request.cutsResponse = true
        for (name, value) in destination.headers { request.addHeader(name, value) }
        return request
    }

    /// The header fields of our own.
    func signed(at now: Timestamp) -> [(String, String)] {
        [("content-type", "application/json")]
            + SigningSecret.headers(
                of: destination.secrets, id: event.text, timestamp: now.seconds, body: body)
    }
}

/// A delivery that was attempted.
struct Attempted: Sendable {
    let parcel: Parcel
    let startedAt: Timestamp
    /// How long it took until its end was noticed.
    let elapsed: Duration
    let result: Result<OutboundResponse, ClientError>
    let judgement: Judgement
}
