import AdminShell
import HTTPKit
import TemplateKit

/// On the way back to an app, with what somebody decided.
struct LeavingPage: ShellPage {
    static let template = "oauth-leaving"
    static let isBare = true
    static let sample = LeavingPage(
        app: "Nightly export", isAllowed: true, goesOn: true,
        address: "https://app.example/callback?code=abc&iss=https%3A%2F%2Fhub")

    /// What the app is called.
    let app: String
    /// Whether it was given what it asked for.
    let isAllowed: Bool
    /// Whether the browser goes there by itself.
    let goesOn: Bool
    /// Where it is waiting, with the answer in the query.
    let address: String

    var title: String { "Back to \(app)" }
    var place: Place? { nil }

    var view: TemplateValue {
        ["app": .text(app), "is_allowed": .bool(isAllowed), "goes_on": .bool(goesOn), "url": .text(address)]
    }
}

extension Call {
    /// Leads the browser to an app, at an address that was found good.
    ///
    /// Chromium holds a form's `form-action 'self'` against every hop that follows it, and would not go to the app by a
    /// redirect. So after a form of ours, the sign-in among them, the way out is a page that goes on by itself.
    ///
    /// > by means of an HTTP redirection response, or by other means available to it via the user-agent     RFC 6749 §4.1
    ///
    /// To an app that registered itself nobody is led on but by a consent: who only wants to send people somewhere in our
    /// name asks for what is refused, or waits until somebody declines.
    ///
    /// > If the URI is not trusted, the authorization server MAY inform the user and rely on the user to make the correct
    /// > decision.     RFC 9700 §4.11.2
    func leave(to address: String, app: AppRecord, isAllowed: Bool) throws -> Response {
        let goesOn = isAllowed || !app.isDynamic
        let isAfterForm = request.method == .post || request.headers["sec-fetch-site"] == "same-origin"
        guard isAfterForm || !goesOn else { return Response.seeOther(address).neverStored().withoutReferrer() }
        let page = try page(LeavingPage(app: app.name, isAllowed: isAllowed, goesOn: goesOn, address: address))
            .neverStored().withoutReferrer()
        return goesOn ? page.with("refresh", "0; url=\(address)") : page
    }
}

extension Response {
    /// The same answer; where it leads is not told from where one came, since codes stand in addresses (RFC 9700 §4.2.4).
    func withoutReferrer() -> Response {
        var copy = self
        copy.headers["referrer-policy"] = "no-referrer"
        return copy
    }
}
