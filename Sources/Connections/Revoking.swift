import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import JobKit
import LogKit
import TimeKit

/// Giving grants back at the services that gave them.
///
/// What is erased here and what is to be given back there are one transaction: a job that holds the tokens sealed. It is
/// tried at once, and by the queue if that comes to nothing, so that neither a crash nor a service that is away leaves a
/// grant behind that nobody knows.
extension Connections {
    /// What became of a grant at the service.
    struct Revocation: Sendable, Equatable {
        enum Outcome: String, Sendable {
            /// It has ended there.
            case revoked
            /// The service has no way to end it from outside.
            case notSupported = "not_supported"
            /// Ending it would end a sibling that lives on.
            case shared
            /// There was none, or none that could be read.
            case nothing
            /// The service does not answer, and is asked again.
            case queued
            /// The service refused, and a person must end it there.
            case failed
        }

        let outcome: Outcome
        /// What happened and what to do, for people.
        let detail: String

        /// How people are told: a person has something to do only where the grant lives on.
        var tone: Flash.Tone { outcome == .failed || outcome == .queued ? .warn : .good }

        /// As scripts see it.
        var json: JSON { ["outcome": .string(outcome.rawValue), "detail": .string(detail)] }
    }

    /// What is left to be done about a grant once it is erased here.
    enum LeftToRevoke: Sendable {
        case nothing(Revocation)
        case job(uniqueKey: String, Revoker)
    }

    /// The kind of the jobs that give grants back.
    static let revocationKind = "connections.revoke"

    /// Notes, in the transaction that erases a grant here, that it is to be given back there.
    func leaveToRevoke(
        _ view: ConnectionView, _ scope: OrganizationScope, in transaction: Transaction
    ) throws -> LeftToRevoke {
        guard let provider = view.provider, let oauth = provider.oauth else {
            return .nothing(.init(outcome: .notSupported, detail: Self.endsThere(view)))
        }
        let tokens: Tokens
        switch view.tokens {
        case .open(let open): tokens = open
        case .none: return .nothing(.init(outcome: .nothing, detail: "Nobody was signed in to \(view.serviceName)."))
        case .sealed:
            let detail = "What \(view.serviceName) granted cannot be opened, so that nothing could be revoked there."
            return .nothing(.init(outcome: .failed, detail: detail))
        }
        let values = Revoker.values(view.signInValues, tokens, account: view.record.metadata["account"]?.text)
        guard let revocation = oauth.revocation, revocation.call.isComplete(values) else {
            return .nothing(.init(outcome: .notSupported, detail: Self.endsThere(view)))
        }
        if revocation.endsSiblings, let key = view.keyOfUnknownGrant,
            let sibling = try store(scope).sibling(of: view.record.id, orOf: key, in: transaction)
        {
            let detail = "Nothing was revoked at \(view.serviceName): \(sibling.words) uses the same sign-in."
            return .nothing(.init(outcome: .shared, detail: detail))
        }
        let revoker = Revoker(
            organization: scope.organization, connection: view.record.id, provider: provider.key, title: view.title,
            values: values.filter { revocation.holes(oauth).contains($0.key) })
        let key = "revoke:\(Identifier<ConnectionCheck>(world))"
        try queue.enqueue(
            NewJob(
                Self.revocationKind, payload: try revoker.payload(sealedBy: vault, in: transaction),
                runAt: world.now() + .minutes(1), uniqueKey: key, maxAttempts: 8), in: transaction)
        return .job(uniqueKey: key, revoker)
    }

    private static func endsThere(_ view: ConnectionView) -> String {
        "\(view.serviceName) has no way to end this access from here. End it there, if nobody else needs it."
    }

    /// Tries at once what is left to be done. Never called inside a transaction.
    func revoke(_ left: LeftToRevoke) throws -> Revocation {
        switch left {
        case .nothing(let revocation): return revocation
        case .job(let key, let revoker):
            switch attempt(revoker) {
            case .revoked(let sentence):
                try queue.withdraw(key, in: database)
                return .init(outcome: .revoked, detail: sentence)
            case .refused(let sentence):
                try queue.withdraw(key, in: database)
                return .init(outcome: .failed, detail: sentence)
            case .later(let sentence):
                return .init(outcome: .queued, detail: "\(sentence) The hub goes on asking for some hours.")
            }
        }
    }

    /// Gives back tokens that came for a connection which was erased meanwhile.
    func revokeUnwanted(_ tokens: Tokens, of view: ConnectionView, by scope: OrganizationScope) throws {
        // Where one call ends all that a person granted, the one that erased the grant has seen to it.
        guard view.provider?.oauth?.revocation?.endsSiblings == false else { return }
        let now = try store(scope).find(view.record.id, in: database)
        guard now?.grant.sealed == nil else { return }
        let unwanted = ConnectionView(
            record: view.record, secrets: view.secrets, tokens: .open(tokens), provider: view.provider)
        _ = try revoke(database.transaction { try leaveToRevoke(unwanted, scope, in: $0) })
    }

    // MARK: Calling

    private enum Attempt {
        case revoked(String)
        case refused(String)
        case later(String)
    }

    private func attempt(_ revoker: Revoker) -> Attempt {
        let known: Provider?
        do {
            known = try provider(revoker.provider, of: revoker.organization)
        } catch {
            return .later("The hub could not look up how \(revoker.title) is revoked.")
        }
        guard let provider = known, let oauth = provider.oauth, let revocation = oauth.revocation else {
            return .refused("The provider file of \(revoker.title) is not there any more.")
        }
        let calls = serviceClient(revoker.connection, of: revoker.organization, provider.name, isTrial: true)
        do throws(TestFailure) {
            _ = try Tester(calls: calls, now: world.now).http(
                revocation.call(oauth, revoker.values), provider, revoker.values)
            return .revoked("The access was revoked at \(provider.name).")
        } catch {
            guard let status = error.status else { return .later(error.sentence) }
            switch status {
            case 408, 425, 429, 500...: return .later(error.sentence)
            case 404, 410: return .revoked("\(provider.name) did not know the access any more.")
            case _ where error.isTokenUnknown: return .revoked("The access had ended at \(provider.name) already.")
            default:
                return .refused("\(error.sentence) Take the hub's access away in your account at \(provider.name).")
            }
        }
    }

    /// Tries a revocation again, by the queue.
    func revokeQueued(_ run: JobRun) throws {
        guard let revoker = try Revoker(payload: run.job.payload, openedBy: vault, in: database) else {
            throw JobFailure.park(because: "the payload cannot be opened")
        }
        let log = log.with(["connection": .init(revoker.connection.text), "provider": .init(revoker.provider)])
        switch attempt(revoker) {
        case .later(let sentence) where run.job.attempt < run.job.maxAttempts:
            throw JobFailure.retry(after: .minutes(1 << min(run.job.attempt, 8)), because: sentence)
        case .revoked(let sentence): try note("connection.revoked", sentence, revoker, run)
        case .refused(let sentence), .later(let sentence):
            log.warning("Access could not be revoked at a service")
            try note("connection.revocation_failed", sentence, revoker, run)
        }
    }

    private func note(_ action: String, _ sentence: String, _ revoker: Revoker, _ run: JobRun) throws {
        try database.transaction { transaction in
            try audit.record(
                action, .init("connection", revoker.connection, name: revoker.title),
                details: ["detail": .string(sentence)], by: Self.scope(of: revoker.organization), in: transaction)
            try run.finish(in: transaction)
        }
    }
}

/// What is needed to give a grant back once it is erased here.
struct Revoker: Sendable {
    let organization: Identifier<Organization>
    let connection: Identifier<Connection>
    let provider: String
    /// The connection by its name for people.
    let title: String
    /// The values that the call has holes for, and no others.
    let values: [String: String]

    /// The values of a set-up with its tokens. Where there is no refresh token the access token stands for it.
    ///
    /// The refresh token comes first, since the access token alone may leave the grant alive:
    ///
    /// > If the particular token is a refresh token … the authorization server SHOULD also invalidate all access tokens
    /// > based on the same authorization grant … If the token passed to the request is an access token, the server MAY
    /// > revoke the respective refresh token as well.     RFC 7009 §2.1
    static func values(_ values: [String: String], _ tokens: Tokens, account: String?) -> [String: String] {
        var values = values
        values["granted_account"] = account
        values["refresh_token"] = (tokens.refresh ?? tokens.access).reveal { $0 }
        return values
    }

    private static func place(_ connection: Identifier<Connection>) -> Vault.Place {
        Vault.Place("jobs", connection, "payload")
    }
}

extension Revoker {
    /// What stands in the queue: the values sealed.
    func payload(sealedBy vault: Vault, in querying: some Querying) throws -> String {
        let members = values.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        let sealed = try vault.seal(
            JSON.object(members).bytes, at: Self.place(connection), for: organization, in: querying)
        let payload: JSON = [
            "organization": .string(organization.text), "connection": .string(connection.text),
            "provider": .string(provider), "title": .string(title), "sealed": .string(Base64.encode(sealed)),
        ]
        return payload.stored
    }

    /// Reads it back; nil when it cannot be opened.
    init?(payload: String, openedBy vault: Vault, in querying: some Querying) throws {
        let json = try JSON(parsing: Array(payload.utf8))
        guard let organization = json["organization"]?.text.flatMap({ Identifier<Organization>($0) }),
            let connection = json["connection"]?.text.flatMap({ Identifier<Connection>($0) }),
            let provider = json["provider"]?.text, let title = json["title"]?.text,
            let sealed = json["sealed"]?.text.flatMap({ Base64.decode($0) })
        else { return nil }
        do {
            let bytes = try vault.open(sealed, at: Self.place(connection), for: organization, in: querying)
            self.init(
                organization: organization, connection: connection, provider: provider, title: title,
                values: try SetUp.secrets(of: bytes))
        } catch is VaultError {
            return nil
        }
    }
}

/// A living connection that shares the grant of another one.
enum GrantSibling: Sendable, Equatable {
    /// One of the same organization, by its service and name.
    case own(String)
    /// One of another organization, of which nothing more is told.
    case foreign

    /// What it is called, for people.
    var words: String {
        switch self {
        case .own(let name): "the connection “\(name)”"
        case .foreign: "another connection of this hub"
        }
    }
}

extension ConnectionStore {
    /// A living connection that shares the grant of another one; nil when none does.
    ///
    /// Looked for in all organizations: where the client is the hub's own, several may have connected one account.
    ///
    /// - Parameter unknown: the key of grants of which nobody has said whose they are, each of which may be the same.
    func sibling(
        of id: Identifier<Connection>, orOf unknown: GrantKey, in transaction: Transaction
    ) throws -> GrantSibling? {
        let own = try transaction.row(
            "SELECT grant_key FROM connections WHERE id = \(id) AND organization_id = \(scope.organization)"
        )?.get("grant_key", as: [UInt8]?.self)
        let isShared: SQL =
            own == nil || own == unknown.whole
            ? "(grant_client = \(unknown.client) OR grant_key = \(unknown.whole))"
            : "grant_key IN (\(own), \(unknown.whole))"
        return try transaction.row(
            """
            SELECT IF(organization_id = \(scope.organization), CONCAT(provider, ':', name), NULL) AS name
              FROM connections
             WHERE \(isShared) AND id <> \(id) AND removed_at IS NULL AND tokens_sealed IS NOT NULL
             ORDER BY organization_id <> \(scope.organization)
             LIMIT 1
            """
        ).map { row in try row.get("name", as: String?.self).map(GrantSibling.own) ?? .foreign }
    }
}
