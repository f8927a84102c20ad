import AdminShell
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// What the receiver checks with, this once: when a webhook was made, and when it was given another secret.
struct WebhookSecretPage: ShellPage {
    static let template = "webhook-secret"
    static let sample = WebhookSecretPage(
        webhook: .sample, secret: Secret("whsec_…"), scheme: "v1", isRolled: true, showHref: "/webhooks/1",
        verifyHref: "/webhooks/1/verify", now: Timestamp(seconds: 90))

    let webhook: WebhookRecord
    let secret: Secret<String>
    let scheme: String
    let isRolled: Bool
    let showHref: String
    let verifyHref: String
    let now: Timestamp

    var title: String { isRolled ? "Secret rolled" : "Webhook added" }
    var place: Place? { .webhooks }

    var view: TemplateValue {
        [
            "name": .text(webhook.name), "secret": .text(secret.reveal { $0 }), "is_rolled": .bool(isRolled),
            "is_public": .bool(scheme == "v1a"), "is_legacy": .bool(scheme == "legacy"),
            "previous_ends": webhook.previousEndsAt.flatMap { $0 > now ? $0.view(now: now) : nil } ?? .null,
            "show_href": .text(showHref), "verify_href": .text(verifyHref),
        ]
    }
}

/// Asks how long the present secret signs on when a webhook gets another one.
struct WebhookRollPage: ShellPage {
    static let template = "webhook-roll"
    static let sample = WebhookRollPage(
        webhook: .sample, scheme: "v1", showHref: "/webhooks/1", action: "/webhooks/1/roll", typed: nil, problem: nil,
        now: Timestamp(seconds: 90))

    let webhook: WebhookRecord
    /// The present kind of signature; nil when the secret cannot be opened.
    let scheme: String?
    let showHref: String
    let action: String
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { "Roll the secret of “\(webhook.name)”" }
    var place: Place? { .webhooks }

    var view: TemplateValue {
        let form = FormView(fields, typed: typed, problem: problem)
        return [
            "show_href": .text(showHref), "action": .text(action), "name": .text(webhook.name),
            "previous_ends": webhook.previousEndsAt.flatMap { $0 > now ? $0.view(now: now) : nil } ?? .null,
            "form_errors": form.summary, "fields": form.list,
        ]
    }

    private var fields: [FormField] {
        [
            FormField(
                "grace_seconds", "The present secret signs on",
                .choices(
                    isMultiple: false,
                    [
                        .init(
                            "0", "not at all", help: "When it may have leaked. The receiver needs the new one at once."),
                        .init("3600", "for 1 hour"),
                        .init(
                            "86400", "for 24 hours", help: "Time to put the new one in its place; both sign meanwhile."),
                        .init("604800", "for 7 days"), .init("2592000", "for 30 days"),
                    ]), initial: ["\(Webhooks.usualGrace.milliseconds / 1_000)"]),
            FormField(
                "signature_scheme", "Signature", .choices(isMultiple: false, WebhookForm.schemes),
                initial: [scheme == "v1a" ? "v1a" : "v1"]),
            FormField(
                "secret", "Secret of your own", .secret, help: "Left empty, the hub makes one.", isOptional: true,
                width: .wide, maxLength: 512),
        ]
    }
}

/// Asks before a webhook is removed.
struct WebhookRemovePage: ShellPage {
    static let template = "webhook-remove"
    static let sample = WebhookRemovePage(
        webhook: .sample, waiting: 3, showHref: "/webhooks/1", action: "/webhooks/1/remove", typed: nil, problem: nil)

    let webhook: WebhookRecord
    let waiting: Int
    let showHref: String
    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { "Remove webhook “\(webhook.name)”" }
    var place: Place? { .webhooks }

    var view: TemplateValue {
        let form = FormView(
            [FormField("confirm_name", "Type “\(webhook.name)” to go on", .code)], typed: typed, problem: problem)
        return [
            "show_href": .text(showHref), "action": .text(action), "name": .text(webhook.name),
            "url": .text(webhook.urlShown),
            "waiting": waiting == 0
                ? .null
                : .text(
                    waiting == WebhookHealth.mostWaiting
                        ? "More than \(waiting.grouped) deliveries that wait are"
                        : waiting == 1 ? "1 delivery that waits is" : "\(waiting.grouped) deliveries that wait are"),
            "form_errors": form.summary, "fields": form.list,
        ]
    }
}
