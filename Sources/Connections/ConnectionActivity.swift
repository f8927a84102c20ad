import AdminShell
import DatabaseKit
import Domain
import JSONKit
import TemplateKit
import TimeKit

extension ConnectionPage {
    /// A line of the audit log.
    struct Activity: Sendable {
        let action: String
        let actor: String
        let details: JSON
        let at: Timestamp

        init(_ row: Row) throws {
            action = try row.get("action")
            actor = try row.get("actor_name")
            details = try JSON(parsing: Array(row.get("details", as: String.self).utf8))
            at = try row.get("occurred_at")
        }

        init(action: String, actor: String, details: JSON = [:], at: Timestamp) {
            self.action = action
            self.actor = actor
            self.details = details
            self.at = at
        }

        func view(now: Timestamp) -> TemplateValue {
            ["tone": .text(tone), "text": .text(text), "actor": .text(actor), "at": at.view(now: now)]
        }

        private var tone: String {
            if action == "connection.authorized" { return "good" }
            if action == "connection.authorization_failed" { return "bad" }
            guard action == "connection.tested" else { return "none" }
            return details["status"]?["to"]?.text == ConnectionStatus.connected.rawValue ? "good" : "bad"
        }

        private var text: String {
            switch action {
            case "connection.created": "Created"
            case "connection.connected": "Connected with a token"
            case "connection.imported": "Taken over from a former system"
            case "connection.updated": "Set-up changed"
            case "connection.renamed": "Renamed to \(details["to"]?.text ?? "another name")"
            case "connection.enabled": "Enabled"
            case "connection.disabled": "Disabled"
            case "connection.authorized": "Signed in"
            case "connection.authorization_failed": "Sign-in failed: \(details["detail"]?.text ?? "no reason given")"
            case "connection.disconnected": "Disconnected"
            case "connection.refreshed": "Tokens renewed"
            case "connection.refresh_failed": "Tokens could not be renewed"
            case "connection.revoked": "Access revoked at the service"
            case "connection.revocation_failed": "Access could not be revoked at the service"
            case "connection.tested": tone == "good" ? "Began to work" : "Began to fail"
            case "credentials.read": "Credentials read"
            default: action.split(separator: ".").joined(separator: " ").replacing("_", with: " ")
            }
        }
    }

    /// A call that was passed on, as the audit log has it.
    struct PassedCall: Sendable {
        let entry: Activity

        func view(now: Timestamp) -> TemplateValue {
            let details = entry.details
            let status = details["status"]?.wholeNumber
            let error = details["error"]?.text?.replacing("_", with: " ")
            let tone = error == nil && (status ?? 500) < 400 ? "good" : "bad"
            return [
                "tone": .text(tone), "method": .text(details["method"]?.text ?? ""),
                "target": .text((details["host"]?.text ?? "") + (details["path"]?.text ?? "")),
                "outcome": .text([status.map { "answered \($0)" }, error].compactMap(\.self).joined(separator: ", ")),
                "actor": .text(entry.actor), "at": entry.at.view(now: now),
            ]
        }
    }
}

extension ConnectionStore {
    /// Of what the audit log says of a connection, how much is looked through: those who call a lot leave thousands of
    /// lines between two others.
    private static let horizon = 1_000

    /// What was last done to a connection, the newest first, calls left out.
    func activity(_ id: Identifier<Connection>) throws -> [ConnectionPage.Activity] {
        try audited(id, "e.action <> 'connection.called'", limit: 8)
    }

    /// The calls that were last passed on over a connection, the newest first.
    func passedCalls(_ id: Identifier<Connection>) throws -> [ConnectionPage.PassedCall] {
        try audited(id, "e.action = 'connection.called'", limit: 5).map { ConnectionPage.PassedCall(entry: $0) }
    }

    private func audited(_ id: Identifier<Connection>, _ condition: SQL, limit: Int) throws -> [ConnectionPage.Activity]
    {
        try database.rows(
            """
            SELECT e.action, e.actor_name, e.details, e.occurred_at
              FROM (SELECT id
                      FROM audit_events
                     WHERE organization_id = \(scope.organization) AND object_id = \(id)
                     ORDER BY id DESC
                     LIMIT \(Self.horizon)) AS newest
              JOIN audit_events e ON e.id = newest.id
             WHERE \(condition)
             ORDER BY e.id DESC
             LIMIT \(limit)
            """
        ).map(ConnectionPage.Activity.init)
    }
}
