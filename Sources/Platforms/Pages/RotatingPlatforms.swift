import AdminShell
import Domain
import HTTPKit
import TemplateKit

/// Replacing what an integration is reached and known by.
struct PlatformRotatePage: ShellPage {
    static let template = "platform-rotate"
    static let sample = PlatformRotatePage(
        platform: .sample, name: "Slack", workspace: "Main", version: 1, showHref: "/platforms/1",
        action: "/platforms/1/rotate", typed: nil, problem: .invalid("address", "required", "x"))

    let platform: ChannelPlatform?
    let name: String
    let workspace: String
    let version: Int64
    let showHref: String
    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { "Renew \(name) of “\(workspace)”" }
    var place: Place? { .platforms }

    var view: TemplateValue {
        let form = FormView(fields, typed: typed, problem: problem)
        return [
            "platform": .text(name), "workspace": .text(workspace), "version": .text("\(version)"),
            "show_href": .text(showHref), "action": .text(action), "form_errors": form.summary, "fields": form.list,
        ]
    }

    private var fields: [FormField] {
        var fields = [
            FormField(
                "address", "The address", .checkbox, help: "You get another one to enter at \(name).", isOptional: true),
            FormField(
                "webhook_secret", "The webhook secret", .checkbox,
                help: platform?.kind == .microsoftTeams
                    ? "You get another one, for the clientState of each subscription." : "You get another one.",
                isOptional: true),
        ]
        if let kind = platform?.kind, kind.signingMember != nil {
            fields.append(
                FormField(
                    "signing_secret", "The \(kind.signingWords)", .secret,
                    help: "The new one, as \(name) shows it; empty to keep it.", isOptional: true, width: .wide,
                    maxLength: 4_096))
        }
        return fields + [
            FormField(
                "grace_seconds", "What was before counts for",
                .select([
                    .init("0", "No longer"), .init("3600", "1 hour"), .init("86400", "1 day"),
                    .init("604800", "7 days"),
                ]), width: .short, initial: ["86400"])
        ]
    }
}

extension Platforms {
    func rotatePage(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.page(rotatePage(id, call, typed: nil, problem: nil))
    }

    /// Replaces what is asked and shows a secret that was made in the very answer, which nobody stores.
    func rotateIntegration(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let seen = input.number("version", 1...Int64.max)
            guard let rotation = Rotation(&input) else { throw input.refusal }
            let made = try rotate(id, rotation, by: call.scope()) { now in
                guard seen == nil || seen == now.version else { throw Problem.changedByAnother("integration") }
            }
            guard let secret = made.webhookSecret else {
                return call.redirect(
                    to: PlatformPageRoute.show(id),
                    saying: rotation.address ? "It has another address." : "The secret was replaced.")
            }
            return try secretPage(made.record, secret, .another, call)
        } orShow: { problem in
            try rotatePage(id, call, typed: form, problem: problem)
        }
    }

    private func rotatePage(
        _ id: Identifier<PlatformIntegration>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> PlatformRotatePage {
        let scope = try call.scope()
        let record = try find(id, scope)
        return PlatformRotatePage(
            platform: registry[record.platform], name: title(of: record),
            workspace: try workspaceName(record.workspace, scope), version: record.version,
            showHref: call.link(PlatformPageRoute.show(id)), action: call.link(PlatformPageRoute.rotate(id)),
            typed: typed, problem: problem)
    }
}
