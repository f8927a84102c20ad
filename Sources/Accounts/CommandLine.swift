import CipherKit
import DatabaseKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// Why the command line cannot do as told, in one sentence.
public struct AccountsRefusal: Error, CustomStringConvertible {
    /// The sentence.
    public let description: String
}

/// What the server's command line may do with accounts.
extension Accounts {
    /// A person as `hub user list` shows them, once for each organization.
    public struct Listed: Sendable {
        /// The address.
        public let email: String
        /// The name.
        public let name: String
        /// The organization's name; nil for somebody who belongs to none.
        public let organization: String?
        /// The role there.
        public let role: Role?
    }

    private static let operatorActor = Actor(kind: .commandLine, name: "command line")

    /// Makes a person a member of an organization, told by its name or its id; it is made when there is none of that name.
    ///
    /// - Throws: ``AccountsRefusal`` for an address that is taken or is none, a password that is too short, or a name that
    ///   several organizations have.
    public func createUser(
        email text: String, name: String?, organization organizationName: String, role: Role, password: Secret<String>
    ) throws {
        guard let email = Self.email(text) else {
            throw AccountsRefusal(description: "“\(text)” is no e-mail address.")
        }
        try checkPassword(password, context: [email])
        let hash = try passwords.hash(password)
        let user = Identifier<User>(world)
        defer { changed() }
        try database.transaction { transaction in
            guard try accounts.account(email: email, in: transaction) == nil else {
                throw AccountsRefusal(description: "There is an account for \(email) already.")
            }
            let shown = name ?? String(email.prefix { $0 != "@" }.prefix(100))
            try accounts.insert(user, email: email, name: shown, passwordHash: hash, in: transaction)
            if let scope = try operatorScope(called: organizationName, in: transaction) {
                try accounts.setMembership(of: user, in: scope.organization, role: role, transaction)
                try audit.record(
                    "member.added", .init("user", user, name: email), details: ["role": .string(role.rawValue)],
                    by: scope,
                    in: transaction)
            } else {
                // A mistyped name must not make somebody the owner of an organization that nobody wanted.
                guard role == .owner, Identifier<Organization>(organizationName) == nil else {
                    throw AccountsRefusal(
                        description: "There is no organization “\(organizationName)”; only an owner can begin one.")
                }
                try found(
                    Identifier(world), name: organizationName, owner: user, as: Self.operatorActor, requestID: "-",
                    in: transaction)
            }
            try accounts.removeSetUpLinks(in: transaction)
            try Generations.bump(Generations.apiKeys, in: transaction)
        }
    }

    /// Gives a person another password and ends all their sessions.
    public func setPassword(email text: String, password: Secret<String>) throws {
        guard let email = Self.email(text), let account = try accounts.account(email: email, in: database) else {
            throw AccountsRefusal(description: "There is no account for “\(text)”.")
        }
        try checkPassword(password, context: [email])
        let hash = try passwords.hash(password)
        defer { changed() }
        try database.transaction { transaction in
            try accounts.setPasswordHash(hash, of: account.id, in: transaction)
            try passwordChanged(account.id, transaction)
            try sessions.endAll(of: account.id, except: nil, in: transaction)
        }
    }

    /// Everybody who has an account, page by page.
    public func listUsers(_ each: (Listed) -> Void) throws {
        var last: Identifier<User>?
        while true {
            let rows = try accounts.accounts(after: last)
            for row in rows {
                each(
                    Listed(
                        email: try row.get("email"), name: try row.get("name"),
                        organization: try row.get("organization"),
                        role: try row.get("role")))
            }
            guard rows.count == 200, let next = rows.last else { return }
            last = try next.get("id")
        }
    }

    /// The organization of a name or an id, or the only one.
    ///
    /// - Throws: ``AccountsRefusal`` when there is none, or when several could be meant.
    public func organizationScope(named name: String?) throws -> OrganizationScope {
        if let scope = try operatorScope(called: name, in: database) { return scope }
        throw AccountsRefusal(
            description: name.map { "There is no organization “\($0)”." }
                ?? "There is no organization yet; set the hub up first.")
    }

    /// An organization for the command line; nil when there is none.
    private func operatorScope(called text: String?, in querying: some Querying) throws -> OrganizationScope? {
        let rows = try accounts.organizations(called: text, in: querying)
        guard let first = rows.first else { return nil }
        guard rows.count == 1 else {
            throw AccountsRefusal(
                description: try text.map { name in
                    try "There are several organizations “\(name)”; name one by its id: \(ids(rows))."
                } ?? "There are several organizations; name one with --org.")
        }
        return OrganizationScope(
            trusted: try first.get("id"), name: try first.get("name"), actor: Self.operatorActor, requestID: "-")
    }

    private func ids(_ rows: [Row]) throws -> String {
        try rows.map { try $0.get("id", as: Identifier<Organization>.self).text }.joined(separator: ", ")
    }

    private func checkPassword(_ password: Secret<String>, context: [String]) throws {
        let objection = password.reveal {
            PasswordRules.objection(to: $0, context: context, shortest: PasswordRules.shortestAtCommandLine)
        }
        if let objection { throw AccountsRefusal(description: objection) }
    }
}
