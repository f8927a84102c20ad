import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit

/// Asking before a connection is removed or disconnected.
struct ConnectionConfirmPage: ShellPage {
    static let template = "connection-confirm"
    static let sample = ConnectionConfirmPage(
        shown: .sample, isRemoval: true, backHref: "/connections/1", action: "/connections/1/remove",
        uses: ConnectionPage.usesSample, typed: nil, problem: nil)

    let shown: ConnectionView
    let isRemoval: Bool
    let backHref: String
    let action: String
    /// What relies on it, as links.
    let uses: [TemplateValue]
    let typed: Form?
    let problem: Problem?

    private var name: String { shown.record.name }
    var title: String { "\(isRemoval ? "Remove" : "Disconnect") \(shown.title)" }
    var place: Place? { .connections }

    var view: TemplateValue {
        let field = FormField("confirm_name", "Type “\(name)” to go on", .code)
        let form = FormView([field], typed: typed, problem: problem)
        return [
            "is_removal": .bool(isRemoval), "connection_href": .text(backHref), "action": .text(action),
            "service": .text(shown.serviceName), "name": .text(name), "form_errors": form.summary, "fields": form.list,
            "way_back": .text(
                isSignIn
                    ? "You can connect it again later by signing in."
                    : "You can connect it again later with new credentials."),
            "uses": .list(uses), "is_used": .bool(!uses.isEmpty),
            "consequences": .list(consequences.map { ["text": .text($0)] }),
        ]
    }

    /// Whether it works by what somebody granted, and not by keys that were entered.
    private var isSignIn: Bool { shown.record.grant.sealed != nil }

    private var consequences: [String] { here + [isRemoval ? Self.outcry : stays] + there }

    private static let outcry = "Scripts that use this connection get an error."

    private var here: [String] {
        if isRemoval { return ["All that the hub keeps of it is deleted at once, its secrets too."] }
        guard shown.provider?.oauth != nil else { return ["Its secrets are deleted from the hub at once."] }
        let granted = isSignIn ? ["What \(shown.serviceName) granted is deleted from the hub at once."] : []
        let labels = keys.map(\.label).joined(separator: ", ")
        return granted + (labels.isEmpty ? [] : ["This is deleted from the hub at once: \(labels)."])
    }

    private var stays: String {
        isSignIn
            ? "The rest of its set-up stays; sign in again to connect it."
            : "Its set-up stays; enter the secrets again to connect it."
    }

    /// What becomes of the access at the service.
    private var there: [String] {
        let service = shown.serviceName
        let kept = "\(service) itself keeps the credentials; revoke them there too if they may have leaked."
        guard isSignIn else { return shown.credential == nil ? [] : [kept] }
        return [revocation] + (keys.isEmpty ? [] : [kept])
    }

    private var revocation: String {
        let service = shown.serviceName
        if case .sealed = shown.tokens {
            return "What \(service) granted cannot be opened any more, so nothing can be ended there from here."
        }
        guard let revocation = shown.revocation else {
            return "\(service) has no way to end the access from here: end it there, if nobody else needs it."
        }
        let exception = revocation.endsSiblings ? ", unless another connection uses the same sign-in" : ""
        return ["The hub asks \(service) to end the access there too\(exception).", revocation.notice]
            .compactMap(\.self).joined(separator: " ")
    }

    /// The keys that were entered beside a sign-in, or instead of one.
    private var keys: [ProviderField] { (shown.provider?.keys ?? []).filter { shown.values[$0.name] != nil } }
}

extension ConnectionView {
    /// Whether there is something to disconnect: tokens, or keys that open the service.
    var holdsAccess: Bool {
        guard isReadable else { return false }
        return record.grant.sealed != nil || credential != nil || provider == nil && !secrets.values.isEmpty
    }

    /// How what was granted is given back; nil where the service, or the set-up, has no way.
    fileprivate var revocation: ProviderRevocation? {
        guard let revocation = provider?.oauth?.revocation, case .open(let tokens) = tokens else { return nil }
        let values = Revoker.values(signInValues, tokens, account: record.metadata["account"]?.text)
        return revocation.call.isComplete(values) ? revocation : nil
    }
}
