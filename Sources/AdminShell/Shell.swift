import CipherKit
import Domain
import HTTPKit
import LogKit
import TemplateKit

/// A page inside the frame: what it is called and where in the navigation it stands.
public protocol ShellPage: Page {
    /// What stands in the title bar.
    var title: String { get }
    /// The navigation item that is marked as current; nil for none.
    var place: Place? { get }
    /// Whether the page is seen by people who are not signed in, in the narrow frame.
    static var isBare: Bool { get }
}

extension ShellPage {
    /// Most pages stand in the frame.
    public static var isBare: Bool { false }
}

/// The places of the navigation.
public enum Place: String, Sendable, CaseIterable {
    /// The overview.
    case overview
    /// Services that the organization is signed in to.
    case connections
    /// Chat platforms and their channels.
    case platforms
    /// Credentials of scripts.
    case apiKeys
    /// Programs that ask for access.
    case oauthApps
    /// Programs that the person has let in.
    case appsWithAccess
    /// Who is told of events.
    case webhooks
    /// What happened.
    case events
    /// What other services send.
    case inbound
    /// What was asked of the interface, request by request.
    case requestLogs
    /// The same in figures.
    case usage
    /// What scripts can do.
    case apiReference
    /// Who did what.
    case audit
    /// Members and workspaces.
    case organization
    /// The hub itself.
    case system
    /// The signed-in person's own.
    case account
}

/// A link of the navigation.
public struct NavigationItem: Sendable {
    let place: Place
    let label: String
    let path: String
    let needs: Scope
    let count: @Sendable (OrganizationScope) throws -> Int

    /// A link that is shown to those who hold a right, with a count in red of what needs a person.
    public init(
        _ place: Place, _ label: String, path: String, needs: Scope,
        count: @escaping @Sendable (OrganizationScope) throws -> Int = { _ in 0 }
    ) {
        self.place = place
        self.label = label
        self.path = path
        self.needs = needs
        self.count = count
    }
}

/// The quiet navigation: groups of links, and the paths of the frame's own forms.
public struct Navigation: Sendable {
    let overview: String
    let account: String
    let signOut: String
    let switchOrganization: String
    let groups: [(title: String, items: [NavigationItem])]

    /// The navigation of the whole house.
    public init(
        overview: String, account: String, signOut: String, switchOrganization: String,
        groups: [(title: String, items: [NavigationItem])]
    ) {
        self.overview = overview
        self.account = account
        self.signOut = signOut
        self.switchOrganization = switchOrganization
        self.groups = groups
    }
}

/// Makes pages: the templates, the site and the navigation, shared by all lanes.
public final class Shell: Sendable {
    /// Where the hub stands.
    public let site: Site
    /// The templates of all rooms.
    public let library: TemplateLibrary
    /// After how many seconds of rest a session ends.
    public let idleSeconds: Int
    let navigation: Navigation
    let cursors: CursorSeal

    /// The shell of a house.
    ///
    /// - Parameter cursors: what seals the cursors of lists; by itself one that no other process can open.
    public init(
        site: Site, library: TemplateLibrary, navigation: Navigation, idleSeconds: Int, cursors: CursorSeal = .init()
    ) {
        self.site = site
        self.library = library
        self.navigation = navigation
        self.idleSeconds = idleSeconds
        self.cursors = cursors
    }

    /// A page in its frame, strict about every name in its template.
    func render<P: ShellPage>(_ page: P, for call: Call, status: Status) throws -> Response {
        let flash = self.flash(of: call)
        var members = try frame(of: P.self, title: page.title, place: page.place, flash: flash, for: call)
        if case .object(let own) = page.view { members.merge(own) { _, mine in mine } }
        var response = Response.html(try library.render(P.template, .object(members)), status: status)
        if flash != nil { response = response.setting(site.cookie(Flash.cookieName, "", maxAge: .zero)) }
        return response
    }

    /// The answer to a problem, as a page.
    public func render(_ problem: Problem, for call: Call) -> Response {
        let body = ErrorPage(problem: problem, requestID: call.request.id, home: site.mount + navigation.overview)
        var response = framed(body, for: call) ?? bare(body, for: call)
        problem.headers.forEach { response.headers.add($0, $1) }
        return response
    }

    /// The error in the frame; nil when nobody has signed in, or when the frame itself cannot be made, since its
    /// navigation asks the database, which may be the very thing that is away.
    private func framed(_ body: ErrorPage, for call: Call) -> Response? {
        guard call.organization != nil else { return nil }
        return try? render(FramedErrorPage(error: body), for: call, status: body.problem.status)
    }

    private func bare(_ body: ErrorPage, for call: Call) -> Response {
        do {
            return try render(BareErrorPage(error: body), for: call, status: body.problem.status)
        } catch {
            call.log.error("an error page could not be made", ["error": .init(String(reflecting: error))])
            return .text("\(body.problem.detail)\n", status: body.problem.status)
        }
    }

    private func flash(of call: Call) -> Flash? {
        call.request.cookie(site.cookieName(Flash.cookieName)).flatMap { Flash(cookie: $0, key: call.csrfToken) }
    }

    private func frame<P: ShellPage>(
        of page: P.Type, title: String, place: Place?, flash: Flash?, for call: Call
    ) throws -> [String: TemplateValue] {
        var members: [String: TemplateValue] = [
            "language": "en", "page_title": .text(title), "csrf_token": .text(call.csrfToken),
            "form_nonce": .text(Random.token()), "theme": .text(call.principal?.browser?.theme ?? "system"),
            "assets": [
                "css": .text(asset(site.assets.css)), "js": .text(asset(site.assets.script)),
                "icon": .text(asset(site.assets.icon)),
            ],
            "site": ["name": .text(site.name), "initials": .text(initials(of: site.name))],
            "flash": flash.map { ["tone": .text($0.tone.rawValue), "text": .text($0.text)] } ?? .null,
        ]
        guard !P.isBare, let organization = call.organization, let principal = call.principal else { return members }
        members["session_idle_seconds"] = .number(Int64(idleSeconds))
        members["organization"] = [
            "name": .text(organization.name), "initials": .text(initials(of: organization.name)),
        ]
        members["organization_switcher"] = switcher(principal, current: organization)
        members["navigation"] = try navigation(organization, place: place)
        members["account"] = [
            "name": .text(principal.browser?.name ?? principal.actor.name), "email": .text(principal.actor.name),
            "href": .text(site.mount + navigation.account), "current": .bool(place == .account),
            "sign_out_action": .text(site.mount + navigation.signOut),
        ]
        return members
    }

    private func asset(_ name: String) -> String { "\(site.mount)/assets/\(name)" }

    private func switcher(_ principal: Principal, current: OrganizationScope) -> TemplateValue {
        let others = principal.memberships.filter { $0.organization != current.organization }
        guard !others.isEmpty else { return .null }
        return [
            "action": .text(site.mount + navigation.switchOrganization),
            "items": .list(
                others.map { other in
                    [
                        "id": .text(other.organization.text), "name": .text(other.name),
                        "initials": .text(initials(of: other.name)),
                    ]
                }),
        ]
    }

    private func navigation(_ scope: OrganizationScope, place: Place?) throws -> TemplateValue {
        let groups = try navigation.groups.compactMap { group -> TemplateValue? in
            let items = try group.items.filter { scope.allows($0.needs) }.map { item -> TemplateValue in
                let count = try item.count(scope)
                return [
                    "label": .text(item.label), "href": .text(site.mount + item.path),
                    "current": .bool(item.place == place), "count": count == 0 ? .null : .text("\(count)"),
                ]
            }
            return items.isEmpty ? nil : ["title": .text(group.title), "items": .list(items)]
        }
        return [
            "overview": ["href": .text(site.mount + navigation.overview), "current": .bool(place == .overview)],
            "groups": .list(groups),
        ]
    }
}

/// One or two letters that stand for a name.
public func initials(of name: String) -> String {
    let words = name.split(separator: " ").prefix(2)
    let letters = words.count == 2 ? words.compactMap(\.first).map(String.init).joined() : String(name.prefix(2))
    return letters.uppercased()
}
