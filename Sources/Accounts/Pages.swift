import AdminShell
import HTTPKit
import TemplateKit

/// The door.
struct SignInPage: ShellPage {
    static let template = "sign-in"
    static let isBare = true
    static let sample = SignInPage(action: "/sign-in", next: "/")

    let action: String
    let next: String
    var typed: Form?
    var problem: Problem?

    var title: String { "Sign in" }
    var place: Place? { nil }

    var view: TemplateValue {
        let fields = [
            FormField("email", "E-mail", .username, width: .wide),
            FormField("password", "Password", .password("current-password"), width: .wide),
        ]
        var members = FormView(fields, typed: typed, problem: problem).members
        // Two fields tell their faults themselves; above them a summary would only say the same again.
        if problem?.errors.isEmpty == false { members["form_errors"] = .null }
        members["action"] = .text(action)
        members["next"] = .text(next)
        return .object(members)
    }

    /// Where to go after signing in: a path of this site below the mount prefix, else the overview.
    ///
    /// Browsers take `//`, `/\` and a path with control characters for another site's address.
    static func next(_ wanted: String?, mount: String) -> String {
        guard let wanted, wanted.hasPrefix("/"), !wanted.hasPrefix("//"), wanted.utf8.count <= 2_000,
            wanted.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value < 0x7f && $0 != "\\" }),
            Path(String(wanted.prefix { $0 != "?" && $0 != "#" })) != nil
        else { return "/" }
        return wanted
    }
}

/// The first run.
struct SetUpPage: ShellPage {
    static let template = "set-up"
    static let isBare = true
    static let sample = SetUpPage(action: "/set-up", token: "sTq0r9G8fZkQm2")

    let action: String
    let token: String
    var typed: Form?
    var problem: Problem?

    var title: String { "Set up" }
    var place: Place? { nil }

    var view: TemplateValue {
        let organization = FormField(
            "organization_name", "Organization name", .named("organization"),
            help: "Shown to everybody who signs in. You can change it later.", width: .wide, maxLength: 100)
        let person = [
            FormField("name", "Your name", .named("name"), width: .wide, maxLength: 100),
            FormField("email", "E-mail", .username, width: .wide),
            FormField(
                "password", "Password", .password("new-password"),
                help: "At least \(PasswordRules.shortest) characters. A sentence you can remember is best.",
                width: .wide),
        ]
        let form = FormView([organization] + person, typed: typed, problem: problem)
        return [
            "action": .text(action), "set_up_token": .text(token), "form_errors": form.summary,
            "organization_fields": form.list(["organization_name"]),
            "person_fields": form.list(["name", "email", "password"]),
        ]
    }
}

/// A set-up link that opens nothing.
struct SetUpClosedPage: ShellPage {
    static let template = "set-up-closed"
    static let isBare = true
    static let sample = SetUpClosedPage(reason: .ended, signInHref: "/sign-in")

    /// Why nobody can come in by it.
    enum Reason: Sendable {
        /// The hub is set up already.
        case done
        /// The link was used, or is too old.
        case ended
        /// No link was opened; somebody came to the door of a hub without people.
        case new
    }

    let reason: Reason
    let signInHref: String

    var title: String { "Set up" }
    var place: Place? { nil }

    var view: TemplateValue {
        [
            "is_done": .bool(reason == .done), "is_ended": .bool(reason == .ended), "is_new": .bool(reason == .new),
            "sign_in_href": .text(signInHref), "command": "hub set-up-link",
        ]
    }
}
