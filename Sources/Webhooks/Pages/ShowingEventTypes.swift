import AdminShell
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// The catalogue of events as people see and change it.
extension Webhooks {
    func typesPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let mount = call.shell.site.mount
        return try call.page(
            EventTypeListPage(
                eventsHref: call.link(WebhookPageRoute.events), newHref: call.link(WebhookPageRoute.newType),
                canChange: scope.allows(.write(.events)), types: types(scope),
                typeHref: { mount + WebhookPageRoute.type($0).path }))
    }

    func typePage(_ text: String, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let type = try type(text, scope)
        let canWrite = scope.allows(.write(.events))
        let query = "?type=\(Percent.encode(text))"
        return try call.page(
            EventTypePage(
                type: type, listHref: call.link(WebhookPageRoute.types),
                eventsHref: call.link(WebhookPageRoute.events) + query,
                publishHref: canWrite ? call.link(WebhookPageRoute.publish) + query : nil,
                editHref: canWrite && !type.isBuiltIn ? call.link(WebhookPageRoute.editType(text)) : nil,
                removeHref: canWrite && !type.isBuiltIn ? call.link(WebhookPageRoute.removeType(text)) : nil,
                now: world.now()))
    }

    private func type(_ text: String, _ scope: OrganizationScope, isOwn: Bool = false) throws -> EventType {
        guard let name = EventName(text), let type = try types(scope)[name], !isOwn || !type.isBuiltIn else {
            throw Problem.notFound
        }
        return type
    }

    // MARK: Describing

    private static let newReader = FormJSON(objects: ["schema", "example"])
    private static let reader = FormJSON(objects: ["schema", "example"], truths: ["deprecated"])

    func newTypePage(_ call: Call) throws -> Response { try call.page(newTypePage(call, typed: nil, problem: nil)) }

    func createType(_ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            let type = try describe(Input(Self.newReader.body(form)), by: call.scope())
            return call.redirect(
                to: WebhookPageRoute.type(type.name.description), saying: "“\(type.name)” is described.")
        } orShow: { problem in
            newTypePage(call, typed: form, problem: Self.newReader.folded(problem))
        }
    }

    private func newTypePage(_ call: Call, typed: Form?, problem: Problem?) -> EventTypeFormPage {
        EventTypeFormPage(
            type: nil, backHref: call.link(WebhookPageRoute.types), action: call.link(WebhookPageRoute.newType),
            typed: typed, problem: problem)
    }

    func editTypePage(_ text: String, _ call: Call) throws -> Response {
        try call.page(editTypePage(text, call, typed: nil, problem: nil))
    }

    func editType(_ text: String, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            let seen = form["version"].flatMap(Int64.init)
            let fields = Form(pairs: form.pairs.filter { $0.name != "version" })
            let type = try describe(text, anew: Input(Self.reader.body(fields)), by: call.scope()) { type in
                guard seen == nil || seen == type.version else {
                    throw Problem.changedByAnother("kind")
                }
            }
            return call.redirect(to: WebhookPageRoute.type(text), saying: "“\(type.name)” changed.")
        } orShow: { problem in
            try editTypePage(text, call, typed: form, problem: Self.reader.folded(problem))
        }
    }

    private func editTypePage(
        _ text: String, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> EventTypeFormPage {
        EventTypeFormPage(
            type: try type(text, call.scope(), isOwn: true), backHref: call.link(WebhookPageRoute.type(text)),
            action: call.link(WebhookPageRoute.editType(text)), typed: typed, problem: problem)
    }

    // MARK: Forgetting

    func removeTypePage(_ text: String, _ call: Call) throws -> Response {
        try call.page(removeTypePage(text, call, typed: nil, problem: nil))
    }

    func removeType(_ text: String, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let confirmed = input.text("confirm_name", 1...128)
            guard let confirmed, input.isComplete else { throw input.refusal }
            guard confirmed == text else {
                throw Problem.invalid("confirm_name", "not_the_name", "This is not its name, “\(text)”.")
            }
            try forget(text, by: call.scope())
            return call.redirect(to: WebhookPageRoute.types, saying: "“\(text)” removed from the catalogue.")
        } orShow: { problem in
            try removeTypePage(text, call, typed: form, problem: problem)
        }
    }

    private func removeTypePage(
        _ text: String, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> EventTypeRemovePage {
        EventTypeRemovePage(
            type: try type(text, call.scope(), isOwn: true), showHref: call.link(WebhookPageRoute.type(text)),
            action: call.link(WebhookPageRoute.removeType(text)), typed: typed, problem: problem)
    }
}
