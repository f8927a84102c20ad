import CipherKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Tries what senders commonly get wrong on a request that was refused, and tells what would have been right.
///
/// Each guess is checked like the request itself, by the clock of its own timestamp, so that a wrong signature and an old one
/// are told apart.
struct Debugger {
    private let arrival: Arrival
    private let source: OpenSource
    private let failure: Failure
    private let now: Timestamp
    let scheme: Scheme
    /// All secrets that are kept, those that have ended too.
    private let secrets: [String]
    /// When the request was signed, by its own word.
    private let clock: Timestamp

    /// The longest body on which guesses are made.
    private static let mostBytes = 1_048_576

    init(_ arrival: Arrival, _ source: OpenSource, _ failure: Failure, now: Timestamp) {
        self.arrival = arrival
        self.source = source
        self.failure = failure
        self.now = now
        scheme = source.scheme.scheme(source.recipe)
        secrets = source.source.secrets.filter { $0.until.map { $0 > now } ?? true }.map { $0.value.reveal { $0 } }
        clock = scheme.signedAt(arrival) ?? now
    }

    /// What would have been right; nothing when no guess fits.
    var hints: [Examination.Hint] {
        guard arrival.body.count <= Self.mostBytes else { return [] }
        var found: [Examination.Hint] = []
        switch failure {
        case .late(let seconds), .early(let seconds):
            if isRight(arrival) {
                found.append(
                    .init(
                        code: "only_the_clock",
                        sentence:
                            "The signature is right; only the timestamp is off, by \(seconds) s. Look at the clocks, or at what held the request up."
                    ))
            }
        case .malformed, .missing: found += headerHints
        default: break
        }
        guard found.isEmpty, failure.check != .secret else { return found }
        found += secretHints + bodyHints + addressHints + recipeHints
        return found
    }

    /// Whether a request would be right by its own clock.
    private func isRight(_ arrival: Arrival, by others: [String]? = nil, _ scheme: Scheme? = nil) -> Bool {
        let secrets = (others ?? secrets).map { InboundSecret(Secret($0)) }
        return (try? (scheme ?? self.scheme).verify(arrival, by: secrets, now: clock)) != nil
    }

    private func hint(_ code: String, _ sentence: String, if isRight: @autoclosure () -> Bool) -> [Examination.Hint] {
        isRight() ? [.init(code: code, sentence: sentence)] : []
    }

    // MARK: Secrets

    private var secretHints: [Examination.Hint] {
        let ended = source.source.secrets.filter { $0.until.map { $0 <= now } ?? false }.map { $0.value.reveal { $0 } }
        var found = hint(
            "previous_secret", "It matches the secret from before the last rotation, which counts no more.",
            if: isRight(arrival, by: ended))
        found += hint(
            "secret_with_newline",
            "It matches the secret with a line end behind it: the sender read it from a file, say.",
            if: isRight(arrival, by: secrets.flatMap { [$0 + "\n", $0 + "\r\n", $0 + " "] }))
        found += hint(
            "secret_form",
            "It matches the secret in another form: its text instead of the bytes it stands for, or the other way.",
            if: isRight(arrival, by: secrets.flatMap(Self.otherForms)) || isRightAsText)
        return found
    }

    /// A secret without its prefix, and with it.
    private static func otherForms(_ secret: String) -> [String] {
        secret.hasPrefix("whsec_") ? [String(secret.dropFirst(6))] : ["whsec_" + secret]
    }

    /// Whether the text of a secret of Standard Webhooks was taken for its bytes, or the bytes where the text is due.
    private var isRightAsText: Bool {
        switch scheme {
        case .standardWebhooks:
            let texts = secrets.flatMap { [$0] + Self.otherForms($0) }.map { Base64.encode(Array($0.utf8)) }
            return isRight(arrival, by: texts)
        case .code(var recipe):
            for form in Recipe.KeyForm.allCases where form != recipe.keyForm {
                recipe.keyForm = form
                if isRight(setting: nil, to: "", .code(recipe)) { return true }
            }
            return false
        default: return false
        }
    }

    /// The header fields of the request.
    var headers: Headers { arrival.headers }

    /// Whether the request would be right with a field set, by a scheme.
    func isRight(setting header: String?, to value: String, _ scheme: Scheme) -> Bool {
        var copy = arrival
        if let header { copy.headers[header] = value }
        return isRight(copy, by: nil, scheme)
    }

    // MARK: Bodies

    private var bodyHints: [Examination.Hint] {
        guard !arrival.body.isEmpty else { return [] }
        var found: [Examination.Hint] = []
        let body = arrival.body
        let lines = String(decoding: body, as: UTF8.self)
        let trimmed = Array(body.reversed().drop { $0 == 0x0a || $0 == 0x0d }.reversed())
        found += hint(
            "trailing_newline", "It matches the body with another line end behind it: something added or removed one.",
            if: [trimmed, trimmed + [0x0a], trimmed + [0x0d, 0x0a]].contains { $0 != body && isRight(with: $0) })
        let unix = lines.replacing("\r\n", with: "\n")
        found += hint(
            "line_ends", "It matches the body with other line ends: something turned LF into CRLF, or the other way.",
            if: [unix, unix.replacing("\n", with: "\r\n")].contains { $0 != lines && isRight(with: Array($0.utf8)) })
        found += hint(
            "empty_body", "It matches an empty body: the sender signed before it wrote the body.",
            if: isRight(with: []))
        if found.isEmpty, let json = try? JSON(parsing: body) {
            found += hint(
                "reserialized",
                "It matches the same JSON written another way: the sender signed one text and sent another, or something between parsed it and wrote it anew.",
                if: Reserializing.texts(of: json).contains { $0 != body && isRight(with: $0) })
        }
        return found
    }

    private func isRight(with body: [UInt8]) -> Bool {
        var copy = arrival
        copy.body = body
        return isRight(copy)
    }

    // MARK: Addresses

    private var addressHints: [Examination.Hint] {
        guard scheme.signsAddress, let address = PublicAddress(arrival.url) else { return [] }
        func isRight(at url: String) -> Bool {
            var copy = arrival
            copy.url = url
            return self.isRight(copy)
        }
        let bare = address.withoutQuery
        return hint(
            "without_port", "It matches the address without its port, or with it: the service was given another one.",
            if: isRight(at: address.withOtherPort))
            + hint(
                "other_scheme", "It matches the address by the other scheme: the service was given http, or https.",
                if: isRight(at: address.withOtherScheme))
            + hint(
                "without_query", "It matches the address without its query.",
                if: bare != arrival.url && isRight(at: bare))
            + hint(
                "trailing_slash", "It matches the address with a slash at its end, as the service was given it.",
                if: isRight(at: bare + "/" + arrival.url.dropFirst(bare.count)))
    }
}

extension Scheme {
    /// Whether the address is signed too.
    var signsAddress: Bool {
        switch self {
        case .twilio: true
        case .code(let recipe): recipe.content.contains(.address)
        default: false
        }
    }

    /// When a request says that it was signed; nil when it does not, or not as it should.
    func signedAt(_ arrival: Arrival) -> Timestamp? {
        let text: String?
        switch self {
        case .code(let recipe):
            guard let time = recipe.time, let value = arrival.headers[time.header].flatMap(Arrival.number) else {
                return nil
            }
            return Timestamp(seconds: min(time.isInMilliseconds ? value / 1_000 : value, Timestamp.latest.seconds))
        case .stripe:
            text = (arrival.headers["stripe-signature"] ?? "").split(separator: ",").first { $0.hasPrefix("t=") }
                .map { String($0.dropFirst(2)) }
        case .standardWebhooks: text = arrival.headers["\(Self.standardFamily(of: arrival))-timestamp"]
        case .sendgrid: text = arrival.headers["x-twilio-email-event-webhook-timestamp"]
        case .discord: text = arrival.headers["x-signature-timestamp"]
        case .twilio, .graph, .token, .bearer: text = nil
        }
        return text.flatMap(Arrival.number).map { Timestamp(seconds: min($0, Timestamp.latest.seconds)) }
    }
}
