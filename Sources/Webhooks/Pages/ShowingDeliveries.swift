import AdminShell
import Domain
import HTTPKit
import TimeKit

/// Deliveries as people see them and send them again.
extension Webhooks {
    func deliveryPage(_ id: Identifier<Delivery>, _ call: Call) throws -> Response {
        let query = try call.request.query()
        var input = Input(query)
        let side = input.parsed("show", orSay: "This is payload.") { DeliveryPage.Side(rawValue: $0) } ?? .attempts
        let number = input.number("attempt", 1...Int64(Int32.max)).map { Int($0) }
        guard input.isComplete else { throw input.refusal }
        let scope = try call.scope()
        let log = log(scope)
        guard let delivery = try log.delivery(id) else { throw Problem.notFound }
        // What went to a webhook that was removed since is a line of the log that leads nowhere.
        let webhook = try find(delivery.webhook, scope)
        let attempts = try log.attempts(id)
        let shown = number.map { number in attempts.first { $0.number == number } } ?? attempts.first
        guard number == nil || shown != nil else { throw Problem.notFound }
        let canWrite = scope.allows(.write(.webhooks))
        return try call.page(
            DeliveryPage(
                delivery: delivery, webhook: webhook,
                links: .init(
                    webhook: call.link(WebhookPageRoute.show(webhook.id)),
                    event: scope.allows(.read(.events)) ? call.link(WebhookPageRoute.event(delivery.event)) : nil,
                    retry: canWrite && webhook.state != .disabled ? call.link(WebhookPageRoute.retry(id)) : nil),
                address: FilterAddress(call.link(WebhookPageRoute.delivery(id)), query), side: side,
                attempts: attempts, shown: shown, talk: shown.flatMap { try? talk($0, of: id, scope) },
                payload: log.event(delivery.event).flatMap { try payload($0, scope) },
                url: canWrite && webhook.connection == nil ? url(of: webhook, in: database) : webhook.urlShown,
                mostAttempts: settings.retries.waits.count + 1, now: world.now())
        ).neverStored()
    }

    func retryDelivery(_ id: Identifier<Delivery>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        do {
            let scope = try call.scope()
            let delivery = try sendAgain(id, by: scope)
            let webhook = try find(delivery.webhook, scope)
            return call.redirect(
                to: WebhookPageRoute.delivery(id), saying: "It is sent again \(webhook.nextSending(now: world.now())).")
        } catch let problem as Problem where problem.status == 409 {
            return call.redirect(to: WebhookPageRoute.delivery(id), saying: problem.detail, .warn)
        }
    }
}
