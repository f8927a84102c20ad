import ClientKit
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// What a service said when it took something.
struct DeliveryReceipt: Sendable, Equatable {
    /// The service's own id; nil where it gives none.
    let providerID: String?
}

/// Why something was not delivered, or why nobody knows.
struct DeliveryFailure: Error, Equatable {
    /// The decision that a failure asks for.
    enum Kind: Sendable, Equatable {
        /// The service refuses this message. Give up.
        case refused
        /// The service refuses the credentials. Renew them; else a person must.
        case unauthorized
        /// It was not taken and may be taken later, not before this time has passed.
        case later(after: Duration?)
        /// It may have been taken, or not.
        case ambiguous
    }

    let kind: Kind
    /// What happened, in words for people; never a secret.
    let sentence: String
}

/// A service that takes messages over HTTP: a message becomes a call, and an answer becomes an id or a failure.
protocol MessageChannel: Sendable {
    /// The call that sends a message.
    func request(_ message: Message, _ id: MessageID) throws(DeliveryFailure) -> OutboundRequest
    /// What the answer means.
    func receipt(_ answer: ChannelAnswer) throws(DeliveryFailure) -> DeliveryReceipt
}

/// An answer of a service, and what is needed to tell people of it.
struct ChannelAnswer: Sendable {
    let status: Int
    let headers: OutboundResponse.Headers
    /// Null when it was none.
    let body: JSON
    let service: String
    let conceal: @Sendable (String) -> String
    let now: Timestamp

    /// Whether the service took it, as far as the status tells.
    var isSuccess: Bool { (200...299).contains(status) }

    /// What a status of failure means.
    ///
    /// 500, 502 and 504 may come after the message was taken, 408, 429 and 503 say that it was not (RFC 9110 §15.6).
    func failure(_ words: String?, retryAfter: Duration? = nil) -> DeliveryFailure {
        let said = said(words)
        switch status {
        case 401:
            return DeliveryFailure(
                kind: .unauthorized,
                sentence: "\(service) refused these credentials (401).\(said) Check them, or make new ones there.")
        case 408, 425, 429, 503:
            return DeliveryFailure(
                kind: .later(after: retryAfter ?? self.retryAfter),
                sentence: "\(service) has trouble or asks to be called less often (\(status)).\(said)")
        case 500...:
            return DeliveryFailure(
                kind: .ambiguous, sentence: "\(service) has trouble of its own (\(status)).\(said)")
        default: return refusal(words)
        }
    }

    /// The service refuses this message.
    func refusal(_ words: String?) -> DeliveryFailure {
        DeliveryFailure(kind: .refused, sentence: "\(service) refused this (\(status)).\(said(words))")
    }

    /// The service's words without secrets.
    func said(_ words: String?) -> String { words.map { " It said: “\(conceal($0))”." } ?? "" }

    /// How long the service wants to be left in peace.
    private var retryAfter: Duration? { headers["Retry-After"].flatMap { RetryAfter.wait($0, now: now) } }
}

extension DeliveryFailure {
    /// No answer came: whether the service took it is known only when nothing reached it.
    init(_ error: ClientError, _ service: String) {
        let sentence = "\(service) could not be reached. \(error.tenantSentence)"
        switch error.code {
        case .badURL, .badHeader, .refusedAddress: self.init(kind: .refused, sentence: sentence)
        default: self.init(kind: error.mayHaveArrived ? .ambiguous : .later(after: nil), sentence: sentence)
        }
    }
}

/// Delivers over the connection's service. Never called inside a transaction.
struct Deliverer: Sendable {
    let calls: ServiceClient
    let now: @Sendable () -> Timestamp

    /// How long one call may take.
    static let deadline = Duration.seconds(15)

    /// Delivers, or says why not.
    ///
    /// - Parameter values: all values of the set-up, secrets and `access_token` among them.
    func deliver(
        _ content: MessageContent, _ id: MessageID, to provider: Provider, _ values: [String: String]
    ) throws(DeliveryFailure) -> DeliveryReceipt {
        let conceal = Self.concealing(content, provider, values)
        switch content {
        case .event(let event):
            guard provider.calendar == .google else { throw .cannot(provider) }
            let calendar = GoogleCalendar(values: values)
            return try answer(to: calendar.request(event, id), provider, conceal) { (answer) throws(DeliveryFailure) in
                try calendar.receipt(answer, id)
            }
        case .message(let message):
            guard let channel = try channel(provider, values) else {
                return try mail(message, id, provider, values, conceal)
            }
            return try answer(to: channel.request(message, id), provider, conceal) {
                (answer) throws(DeliveryFailure) in try channel.receipt(answer)
            }
        }
    }

    /// The service's interface over HTTP; nil for mail.
    private func channel(
        _ provider: Provider, _ values: [String: String]
    ) throws(DeliveryFailure) -> (any MessageChannel)? {
        guard let message = provider.message else { throw .cannot(provider) }
        return switch message.kind {
        case .whatsappTwilio: TwilioWhatsApp(values: values)
        case .sendgrid: SendGridMail(values: values)
        case .telegram: TelegramBot(values: values)
        case .instagram: InstagramDirect(values: values, version: message.version)
        case .slack: SlackChat(values: values)
        case .discord: try DiscordChat(provider, values)
        case .teamsWorkflow: try TeamsWorkflow(provider, values)
        case .smtp: nil
        }
    }

    private func answer(
        to request: OutboundRequest, _ provider: Provider, _ conceal: @escaping @Sendable (String) -> String,
        _ read: (ChannelAnswer) throws(DeliveryFailure) -> DeliveryReceipt
    ) throws(DeliveryFailure) -> DeliveryReceipt {
        var request = request
        request.deadline = Self.deadline
        // A kept connection that turns out to be closed would have the request repeated, and perhaps taken twice.
        request.isSentOnce = true
        let response: OutboundResponse
        do throws(ServiceClient.Failure) {
            response = try calls.send(request)
        } catch {
            switch error {
            case .rest(let rest): throw DeliveryFailure(kind: .later(after: rest.duration), sentence: rest.sentence)
            case .client(let error): throw DeliveryFailure(error, provider.name)
            }
        }
        return try read(
            ChannelAnswer(
                status: response.status, headers: response.headers,
                body: (try? JSON(parsing: response.body)) ?? .null, service: provider.name, conceal: conceal,
                now: now()))
    }

    private func mail(
        _ message: Message, _ id: MessageID, _ provider: Provider, _ values: [String: String],
        _ conceal: (String) -> String
    ) throws(DeliveryFailure) -> DeliveryReceipt {
        let mail = try MailMessage(message, id, values, at: now())
        do throws(MailFailure) {
            try calls.client.send(mail.outbound, through: SMTPProbe(values, of: provider, deadline: Self.deadline))
            return DeliveryReceipt(providerID: mail.messageID)
        } catch {
            throw DeliveryFailure(error, conceal)
        }
    }

    /// Leaves out of the service's words what it was sent: secrets, and the message itself.
    private static func concealing(
        _ content: MessageContent, _ provider: Provider, _ values: [String: String]
    ) -> @Sendable (String) -> String {
        let secrets = Concealing(provider, values)
        let sent: [String] =
            switch content {
            case .message(let message): [message.to, message.text, message.subject, message.html].compactMap(\.self)
            case .event(let event): [event.summary, event.description].compactMap(\.self) + event.attendees
            }
        let hidden = sent.filter { $0.utf8.count >= 4 }
        return { words in
            hidden.reduce(secrets(words, atMost: 4_096)) { $0.replacing($1, with: "•••") }.prefixScalars(200)
        }
    }
}

extension DeliveryFailure {
    static func cannot(_ provider: Provider) -> DeliveryFailure {
        DeliveryFailure(kind: .refused, sentence: "\(provider.name) takes nothing of this kind any more.")
    }
}

extension String {
    /// The first code points.
    func prefixScalars(_ count: Int) -> String { String(String.UnicodeScalarView(unicodeScalars.prefix(count))) }
}
