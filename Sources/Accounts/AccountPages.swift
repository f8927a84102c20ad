import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// A signed-in person's own page.
struct AccountPage: ShellPage {
    struct SessionRow: Sendable {
        let device: String
        let address: String
        let isCurrent: Bool
        let started: Timestamp
        let seen: Timestamp
        let endHref: String?
    }

    static let template = "account"
    static let sample = AccountPage(
        name: "Ana Kovač", email: "ana@acme.example", role: "Owner", theme: "system", themeAction: "/account/theme",
        passwordAction: "/account/password",
        sessions: [
            SessionRow(
                device: "Firefox on Linux", address: "203.0.113.9", isCurrent: true, started: Timestamp(seconds: 0),
                seen: Timestamp(seconds: 60), endHref: nil)
        ],
        endOthersHref: nil, problem: nil, now: Timestamp(seconds: 90))

    let name: String
    let email: String
    let role: String
    let theme: String
    let themeAction: String
    let passwordAction: String
    let sessions: [SessionRow]
    let endOthersHref: String?
    let problem: Problem?
    let now: Timestamp

    var title: String { "Account" }
    var place: Place? { .account }

    var view: TemplateValue {
        let password = FormView(
            [
                FormField("current_password", "Current password", .password("current-password")),
                FormField(
                    "new_password", "New password", .password("new-password"),
                    help: "At least \(PasswordRules.shortest) characters. Your other sessions end when it changes."),
            ], problem: problem)
        return [
            "person": ["name": .text(name), "email": .text(email), "role": .text(role)],
            "theme_form": ["action": .text(themeAction), "options": .list(themes)],
            "password_form": ["action": .text(passwordAction), "fields": password.quietList],
            "form_errors": password.summary,
            "sessions": .list(sessions.map(view)), "end_others_action": TemplateValue(endOthersHref),
        ]
    }

    private var themes: [TemplateValue] {
        [("system", "As the system has it"), ("light", "Light"), ("dark", "Dark")].map { value, label in
            [
                "id": .text("theme-\(value)"), "value": .text(value), "label": .text(label),
                "checked": .bool(value == theme),
            ]
        }
    }

    private func view(_ row: SessionRow) -> TemplateValue {
        [
            "device": .text(row.device), "address": .text(row.address), "is_current": .bool(row.isCurrent),
            "started": row.started.view(now: now), "seen": row.seen.view(now: now),
            "end_action": TemplateValue(row.endHref),
        ]
    }
}

/// The organization's people and workspaces.
struct OrganizationPage: ShellPage {
    struct WorkspaceRow: Sendable {
        let id: Identifier<Workspace>
        let name: String
        let connections: Int
        let renameAction: String
        let removeHref: String
        let isRenaming: Bool
    }

    struct MemberRow: Sendable {
        let name: String
        let email: String
        let role: Role
        let isYou: Bool
        let seen: Timestamp?
    }

    static let template = "organization"
    static let sample = OrganizationPage(
        organization: "Acme Shop", canEdit: true, nameAction: "/organization/name",
        workspaceAction: "/organization/workspaces",
        workspaces: [
            .init(
                id: Identifier(.real), name: "General", connections: 5, renameAction: "/", removeHref: "/",
                isRenaming: false)
        ],
        members: [.init(name: "Ana Kovač", email: "ana@acme.example", role: .owner, isYou: true, seen: nil)],
        notices: Notices(
            action: "/organization/notices", terms: NoticeTerms(connection: nil, addresses: ["ana@acme.example"]),
            choices: [(Identifier(.real), "SMTP (default)")]),
        typed: nil,
        problem: nil, now: Timestamp(seconds: 0))

    let organization: String
    let canEdit: Bool
    let nameAction: String
    let workspaceAction: String
    let workspaces: [WorkspaceRow]
    let members: [MemberRow]
    let notices: Notices
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { "People & workspaces" }
    var place: Place? { .organization }

    var view: TemplateValue {
        let name = FormField(
            "organization_name", "Name", .named("organization"),
            width: .wide, maxLength: 100, initial: [organization])
        let workspace = FormField("workspace_name", "New workspace", maxLength: 100)
        let forms = FormView([name, workspace] + notices.fields + renameFields, typed: typed, problem: problem)
        return [
            "can_edit": .bool(canEdit), "form_errors": forms.summary,
            "name_form": [
                "action": .text(nameAction),
                "fields": FormView([name], typed: typed(for: name), problem: problem).quietList,
            ],
            "workspace_form": [
                "action": .text(workspaceAction),
                "fields": FormView([workspace], typed: typed(for: workspace), problem: problem).quietList,
            ],
            "notice_form": [
                "action": .text(notices.action),
                "fields": FormView(notices.fields, typed: typed(for: notices.fields[1]), problem: problem).quietList,
            ],
            "workspaces": .list(workspaces.map(view)), "members": .list(members.map(view)),
        ]
    }

    /// What was typed, if it was typed into this field.
    private func typed(for field: FormField) -> Form? {
        typed.flatMap { $0[field.name] == nil ? nil : $0 }
    }

    private var renameFields: [FormField] {
        workspaces.filter(\.isRenaming).map(renameField)
    }

    private func renameField(_ row: WorkspaceRow) -> FormField {
        FormField("name", "New name", maxLength: 100, initial: [row.name], id: "rename-\(row.id)")
    }

    private func view(_ row: WorkspaceRow) -> TemplateValue {
        let form = FormView(
            [renameField(row)], typed: row.isRenaming ? typed : nil, problem: row.isRenaming ? problem : nil)
        let words = ["No connection", "1 connection"]
        return [
            "name": .text(row.name),
            "connections": .text(row.connections < 2 ? words[row.connections] : "\(row.connections) connections"),
            "rename": canEdit
                ? [
                    "action": .text(row.renameAction), "is_open": .bool(row.isRenaming), "fields": form.quietList,
                    "remove_href": .text(row.removeHref),
                ]
                : .null,
        ]
    }

    private func view(_ row: MemberRow) -> TemplateValue {
        [
            "name": .text(row.name), "email": .text(row.email), "initials": .text(initials(of: row.name)),
            "role": .text(row.role.word), "is_you": .bool(row.isYou),
            "seen": row.seen.map { $0.view(now: now) } ?? .null,
        ]
    }
}
