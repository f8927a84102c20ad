import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// Authorization requests on their way: pushed by a client, or waiting for a person.
struct RequestStore: Sendable {
    /// Why one is kept.
    enum Kind: String, Sendable, Bindable {
        /// A client has pushed it and will name it once.
        case pushed
        /// It waits for somebody to sign in and consent.
        case waiting
    }

    let world: World

    /// Keeps parameters, and gives the random name under which they are found again.
    func keep(
        _ parameters: Form, _ kind: Kind, of app: Identifier<OAuthApp>, for life: Duration, in querying: some Querying
    ) throws -> String {
        let name = Random.token()
        try querying.execute(
            """
            INSERT INTO oauth_requests (name_hash, kind, app_id, parameters, expires_at)
            VALUES (\(SHA256.digest(name.utf8)), \(kind), \(app), \(parameters.urlencoded), \(world.now() + life))
            """)
        return name
    }

    /// What is kept under a name; nil when there is nothing, or no longer.
    func find(
        _ name: String, _ kind: Kind, in querying: some Querying
    ) throws -> (app: Identifier<OAuthApp>, parameters: Form)? {
        guard name.utf8.count == 43 else { return nil }
        let row = try querying.row(
            """
            SELECT app_id, parameters
              FROM oauth_requests
             WHERE name_hash = \(SHA256.digest(name.utf8)) AND kind = \(kind) AND expires_at > \(world.now())
            """)
        guard let row, let form = Form(urlencoded: try row.get("parameters", as: String.self)) else { return nil }
        return (try row.get("app_id"), form)
    }

    /// Takes one out; false when somebody else has.
    func take(_ name: String, _ kind: Kind, in querying: some Querying) throws -> Bool {
        try querying.execute(
            "DELETE FROM oauth_requests WHERE name_hash = \(SHA256.digest(name.utf8)) AND kind = \(kind)"
        ).affectedRows == 1
    }
}
