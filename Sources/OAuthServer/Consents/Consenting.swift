import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// Asks a person whether an app may do what it asks for (RFC 6749 §4.1.1).
extension OAuthServer {
    func consentPage(_ call: Call) throws -> Response {
        var query = Input(try call.request.query())
        let name = query.text("request", 1...100)
        guard let name, query.isComplete else { throw Problem.authorizationOver }
        let request = try pendingAuthorization(name, call)
        let scope = try call.scope()
        guard try needsConsent(request, call, by: scope) else {
            return try call.leave(
                to: grantAuthorization(request, call, by: scope, isAsked: false), app: request.app, isAllowed: true)
        }
        return try call.page(consentPage(request, call, problem: nil)).neverStored().withoutReferrer()
    }

    func consent(_ call: Call) throws -> Response {
        var input = try call.form()
        let name = input.text("request", 1...100)
        guard let name else { throw Problem.authorizationOver }
        let request = try pendingAuthorization(name, call)
        return try call.perform {
            guard let answer = try decision(&input, call), input.isComplete else { throw input.refusal }
            let address =
                answer.isAllowed
                ? try grantAuthorization(request, call, by: answer.scope) : try denyAuthorization(request, call)
            return try call.leave(to: address, app: request.app, isAllowed: answer.isAllowed)
        } orShow: { problem in
            try consentPage(request, call, problem: problem)
        }
    }

    private func consentPage(_ request: PendingAuthorization, _ call: Call, problem: Problem?) throws -> ConsentPage {
        ConsentPage(
            asking: try asking(request.app, request.scopes, call), request: request.id,
            action: call.link(ConsentRoute.consent), back: ConsentPage.back(request), problem: problem)
    }
}

/// The question.
struct ConsentPage: ShellPage {
    static let template = "oauth-consent"
    static let isBare = true
    static let sample = ConsentPage(
        asking: .sample, request: "abc", action: "/oauth/consent", back: "to export.example",
        problem: .invalid("organization", "not_yours", "Choose one of your organizations."))

    let asking: Asking
    let request: String
    let action: String
    /// Where the browser goes afterwards, in words.
    let back: String
    let problem: Problem?

    var title: String { asking.title }
    var place: Place? { nil }

    var view: TemplateValue {
        .object(
            [
                "request": .text(request), "action": .text(action), "back": .text(back),
                "form_errors": FormView([], problem: problem).summary,
            ].merging(asking.members) { one, _ in one })
    }

    /// Where the browser goes after the answer.
    static func back(_ request: PendingAuthorization) -> String {
        guard let uri = request.app.redirectURI(matching: request.redirectURI) else { return "" }
        return switch uri.kind {
        case .site: "to \(uri.place)"
        case .loopback: "to a program on this device"
        case .privateScheme: "to the program \(uri.place) on this device"
        }
    }
}

extension Asking {
    /// One for samples of pages.
    static let sample = Asking(
        app: .sample, scopes: [.read(.connections), .write(.messages)], remembered: [.read(.connections)],
        memberships: [
            .init(organization: Identifier(.real), name: "Acme Shop", role: .owner),
            .init(organization: Identifier(.real), name: "Other", role: .member),
        ], organization: Identifier(.real), person: ("Mia Novak", "mia@acme.example"),
        life: "Access ends after 1 hour.",
        appsHref: "/apps", now: .init(seconds: 90))
}
