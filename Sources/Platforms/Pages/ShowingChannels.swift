import AdminShell
import Domain
import HTTPKit

/// Channels as people add, set and write to them.
extension Platforms {
    func addChannel(to id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            guard let platformID = input.text("platform_channel_id", 1...200), input.isComplete else {
                throw input.refusal
            }
            return try orSayWhyNot(id, call) {
                "“\(try addChannel(platformID, to: id, by: call.scope()).name)” added."
            }
        } orShow: { problem in
            try integrationPage(id, call, typed: form, problem: problem)
        }
    }

    func saveSettings(_ id: Identifier<PlatformChannel>, _ call: Call) throws -> Response {
        var input = try call.form()
        var settings = Self.settings(&input)
        // A form says nothing of what is unchecked or empty, and means it; a box that was not ticked before says nothing
        // new, so that a direction that is chosen counts.
        if settings.autoSync == nil, try find(channel: id, call.scope()).channel.isSynced { settings.autoSync = false }
        settings.direction = settings.direction ?? .some(nil)
        settings.conversation = settings.conversation ?? .some(nil)
        guard input.isComplete else {
            let found = try find(channel: id, call.scope())
            let words = input.refusal.errors.first?.detail ?? input.refusal.detail
            return call.redirect(
                to: PlatformPageRoute.show(found.integration.id),
                saying: "“\(found.channel.name)” was not changed. \(words)", .bad)
        }
        let channel = try update(channel: id, settings, by: call.scope())
        return call.redirect(
            to: PlatformPageRoute.show(channel.integration), saying: "Settings of “\(channel.name)” saved.")
    }

    func postPage(_ id: Identifier<PlatformChannel>, _ call: Call) throws -> Response {
        try call.page(postPage(id, call, typed: nil, problem: nil))
    }

    func postToChannel(_ id: Identifier<PlatformChannel>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        let found = try find(channel: id, call.scope())
        return try call.perform {
            var input = Input(form)
            guard let text = input.text("text", 1...20_000), input.isComplete else { throw input.refusal }
            return try orSayWhyNot(found.integration.id, call) {
                _ = try post(text, to: id, of: found.integration.id, by: call.scope())
                return "Posted to “\(found.channel.name)”."
            }
        } orShow: { problem in
            try postPage(id, call, typed: form, problem: problem)
        }
    }

    private func postPage(
        _ id: Identifier<PlatformChannel>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> PlatformPostPage {
        let found = try find(channel: id, call.scope())
        return PlatformPostPage(
            channel: found.channel, platform: registry[found.integration.platform],
            showHref: call.link(PlatformPageRoute.show(found.integration.id)),
            action: call.link(PlatformPageRoute.post(id)), typed: typed, problem: problem)
    }
}
