import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import TimeKit

/// The first run: a one-time link, printed on the server, makes the first owner.
extension Accounts {
    /// How long a set-up link lives.
    static let setUpLinkLife = Duration.hours(24)

    /// Makes a one-time link for the first run and gives its path with its query; nil when somebody has an account.
    public func makeSetUpLink() throws -> String? {
        guard try accounts.isEmpty() else { return nil }
        let token = Base64URL.encode(world.randomBytes(32))
        try accounts.insertSetUpLink(
            tokenHash: SHA256.digest(token.utf8), expiresAt: world.now() + Self.setUpLinkLife)
        return "\(AccountRoute.setUp.path)?token=\(token)"
    }

    func setUpPage(_ call: Call) throws -> Response {
        let token = try call.request.query()["token"] ?? ""
        guard try isOpen(token) else { return try closed(call) }
        return try call.page(SetUpPage(action: call.link(AccountRoute.setUp), token: token))
    }

    func setUp(_ call: Call) throws -> Response {
        let form = try call.request.form()
        var input = Input(form)
        let token = input.optionalText("set_up_token", 0...100) ?? ""
        guard try isOpen(token) else { return try closed(call) }
        return try call.perform {
            guard let wanted = try wanted(&input) else { throw input.refusal }
            let hash = try passwords.hash(wanted.password)
            let (user, organization) = try create(wanted, hash: hash, token: token, call)
            call.log.info("the hub was set up", ["user": .init(user.text)])
            return try begin(user, organization: organization, call, next: "/")
        } orShow: { problem in
            SetUpPage(action: call.link(AccountRoute.setUp), token: token, typed: form, problem: problem)
        }
    }

    private struct Wanted {
        let organization: String
        let name: String
        let email: String
        let password: Secret<String>
    }

    private func wanted(_ input: inout Input) throws -> Wanted? {
        let organization = input.text("organization_name", 1...100)
        let name = input.text("name", 1...100)
        let email = input.required("email", email(&input))
        let password = newPassword("password", &input, context: [organization, name, email].compactMap(\.self))
        guard let organization, let name, let email, let password, input.isComplete else { return nil }
        return Wanted(organization: organization, name: name, email: email, password: password)
    }

    /// A new password that holds to the rules.
    func newPassword(_ field: String, _ input: inout Input, context: [String]) -> Secret<String>? {
        guard let password = input.required(field, input.secret(field)) else { return nil }
        if let objection = password.reveal({ PasswordRules.objection(to: $0, context: context) }) {
            input.refuse(field, "weak_password", objection)
        }
        return password
    }

    private func isOpen(_ token: String) throws -> Bool {
        try accounts.hasSetUpLink(tokenHash: SHA256.digest(token.utf8), in: database)
    }

    /// Says how a link is made, or that none is needed any more.
    func closed(_ call: Call) throws -> Response {
        let isDone = try !accounts.isEmpty()
        return try call.page(
            SetUpClosedPage(reason: isDone ? .done : .ended, signInHref: call.link(AccountRoute.signIn)),
            status: isDone ? 410 : 404)
    }

    private func create(
        _ wanted: Wanted, hash: String, token: String, _ call: Call
    ) throws -> (
        Identifier<User>, Identifier<Organization>
    ) {
        let user = Identifier<User>(world)
        let organization = Identifier<Organization>(world)
        try database.transaction { transaction in
            // Two people with the same link: the lock lets one of them through.
            guard try accounts.isEmpty(in: transaction),
                try accounts.hasSetUpLink(tokenHash: SHA256.digest(token.utf8), in: transaction)
            else { throw Problem(410, "set_up_closed", "This hub is set up already.") }
            try accounts.removeSetUpLinks(in: transaction)
            try accounts.insert(user, email: wanted.email, name: wanted.name, passwordHash: hash, in: transaction)
            let actor = Actor(kind: .user, id: user.bytes, name: wanted.email)
            try found(
                organization, name: wanted.organization, owner: user, as: actor, requestID: call.request.id,
                in: transaction)
        }
        return (user, organization)
    }

    /// Makes an organization with its first workspace and its owner.
    func found(
        _ organization: Identifier<Organization>, name: String, owner: Identifier<User>, as actor: Actor,
        requestID: String, in transaction: Transaction
    ) throws {
        let scope = OrganizationScope(trusted: organization, name: name, actor: actor, requestID: requestID)
        try accounts.insertOrganization(organization, name: name, in: transaction)
        try vault.prepare(organization, in: transaction)
        try accounts.setMembership(of: owner, in: organization, role: .owner, transaction)
        let workspace = Identifier<Workspace>(world)
        try self.organization(scope).insertWorkspace(workspace, name: "General", in: transaction)
        try audit.record(
            "organization.created", .init("organization", organization, name: name), by: scope, in: transaction)
        try audit.record(
            "workspace.created", .init("workspace", workspace, name: "General"), by: scope, in: transaction)
    }
}
