import DatabaseKit
import Domain
import HTTPKit

/// What people are told when the database does not do as asked; the log has the whole story.
extension DatabaseError: Presentable {
    /// The code of the problem while the database is away.
    public static let awayCode = "database_unavailable"

    /// 503 while the database is away, 500 for the rest.
    public var problem: Problem {
        switch code {
        case .gone, .busy, .readOnly, .deadlock, .lockTimeout, .statementTimeout:
            Problem(
                503, Self.awayCode,
                "The database does not answer just now. Nothing was lost; try again in a moment.",
                headers: ["retry-after": "2"])
        case .commitUnknown:
            Problem(
                503, "outcome_unknown",
                "The database went away while your change was being stored. Look whether it is there before you repeat it.",
                headers: ["retry-after": "2"])
        default:
            Problem(500, "internal_error", "Something went wrong on our side, and the incident is in the log.")
        }
    }
}

/// What people are told when a secret cannot be sealed or opened.
extension VaultError: Presentable {
    /// 503, since an operator can mend it.
    public var problem: Problem {
        Problem(
            503, "encryption_key_missing",
            "The encryption key of this organization is not at hand, so secrets can neither be read nor stored. Nothing was changed. The person who runs this hub can restore the key ring."
        )
    }
}
