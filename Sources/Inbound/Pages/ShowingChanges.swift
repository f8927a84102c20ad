import AdminShell
import Domain
import HTTPKit
import LogKit
import TimeKit

/// Replacing what a source is known by, and ending it.
extension Inbound {
    func rotatePage(_ id: Identifier<InboundSource>, _ what: SourceRotatePage.What, _ call: Call) throws -> Response {
        try call.page(rotatePage(id, what, call, typed: nil, problem: nil))
    }

    func rotate(secretOf id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            let scope = try call.scope()
            let record = try find(id, scope)
            var input = Input(form)
            let grace = Self.grace(&input)
            let secret = SourceTermsReader.secret(&input, record.scheme, record.recipe)
            guard input.isComplete else { throw input.refusal }
            let made = try rotateSecret(id, to: secret, grace: grace ?? .zero, by: scope)
            guard made.secret != nil else {
                return call.redirect(
                    to: InboundPageRoute.source(id),
                    saying: made.record.secretSealed == nil
                        ? "The source waits for another token." : "The secret was replaced.")
            }
            return try madePage(
                made, "“\(made.record.name)” has a new secret", "Give it to the service before the old one ends.", call)
        } orShow: { problem in
            try rotatePage(id, .secret, call, typed: form, problem: problem)
        }
    }

    func rotate(addressOf id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let grace = Self.grace(&input)
            guard input.isComplete else { throw input.refusal }
            let record = try rotateAddress(id, grace: grace ?? .zero, by: call.scope())
            return try madePage(
                Made(record: record, secret: nil, challenge: nil), "“\(record.name)” has a new address",
                "Give it to the service before the old one ends.", call)
        } orShow: { problem in
            try rotatePage(id, .address, call, typed: form, problem: problem)
        }
    }

    private func rotatePage(
        _ id: Identifier<InboundSource>, _ what: SourceRotatePage.What, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> SourceRotatePage {
        let action = what == .secret ? InboundPageRoute.rotateSecret(id) : .rotateAddress(id)
        return SourceRotatePage(
            source: try find(id, call.scope()), what: what, showHref: call.link(InboundPageRoute.source(id)),
            action: call.link(action), typed: typed, problem: problem, now: world.now())
    }

    /// Shows the token that a service has sent, this once.
    func showToken(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let input = try call.form()
        guard input.isComplete else { throw input.refusal }
        let token = try takeToken(id, by: call.scope())
        return try call.page(
            SourceMadePage(
                heading: "Verification token", lead: "Enter it at the service to finish the subscription.",
                values: [("token", "Verification token", token.reveal { $0 }, true)],
                next: ["From now on requests are checked with it."],
                showHref: call.link(InboundPageRoute.source(id)))
        ).neverStored()
    }

    func removePage(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        try call.page(removePage(id, call, typed: nil, problem: nil))
    }

    func removeSource(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let confirmed = input.text("confirm_name", 1...100)
            guard let confirmed, input.isComplete else { throw input.refusal }
            try remove(id, by: call.scope()) { source in
                guard source.name == confirmed else {
                    throw Problem.invalid("confirm_name", "not_the_name", "This is not its name, “\(source.name)”.")
                }
            }
            return call.redirect(to: InboundPageRoute.sources, saying: "Source “\(confirmed)” removed.")
        } orShow: { problem in
            try removePage(id, call, typed: form, problem: problem)
        }
    }

    private func removePage(
        _ id: Identifier<InboundSource>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> SourceRemovePage {
        SourceRemovePage(
            source: try find(id, call.scope()), showHref: call.link(InboundPageRoute.source(id)),
            action: call.link(InboundPageRoute.remove(id)), typed: typed, problem: problem)
    }
}
