import DatabaseKit
import Domain
import JobKit
import LogKit
import TimeKit

/// What has ended is removed, some at a time (requirements A1-68).
///
/// Ids begin with their time and lives are alike, so what has ended stands at the beginning of each table: a purge reads
/// what it removes and little else, however many rows there are.
extension OAuthServer {
    /// How many rows one statement removes.
    private static let batch = 1_000
    /// How long a code, a used refresh token and a grant are remembered after their end, so that they are known when they
    /// come again.
    private static let memory = Duration.days(1)

    /// The jobs of this room.
    public var jobs: [JobHandler] {
        [
            JobHandler("oauth.purge", every: .minutes(1), deadline: .seconds(50)) { run in
                try purge { run.isStopping || run.remaining <= .seconds(5) }
            }
        ]
    }

    /// The kinds of jobs as the system page names them.
    public static let jobLabels = ["oauth.purge": "Forget codes and tokens of apps that have ended"]

    /// Removes what has ended.
    func purge(until isStopping: () -> Bool = { false }) throws {
        let now = world.now()
        let old = now - Self.memory
        let access = Identifier<OAuthToken>(lowestAt: now - .seconds(settings.accessSeconds))
        let refresh = Identifier<OAuthToken>(lowestAt: old - .seconds(settings.refreshSeconds))
        let code = Identifier<OAuthToken>(lowestAt: old - .seconds(settings.codeSeconds))
        let device = Identifier<OAuthToken>(lowestAt: old - .seconds(settings.deviceSeconds))
        let statements: [SQL] = [
            "DELETE FROM oauth_access_tokens WHERE id < \(access) AND expires_at < \(now) ORDER BY id",
            "DELETE FROM oauth_refresh_tokens WHERE id < \(refresh) AND expires_at < \(old) ORDER BY id",
            "DELETE FROM oauth_codes WHERE id < \(code) AND expires_at < \(old) ORDER BY id",
            "DELETE FROM oauth_device_codes WHERE id < \(device) AND expires_at < \(old) ORDER BY id",
            "DELETE FROM oauth_requests WHERE expires_at < \(now)",
            "DELETE FROM oauth_grants WHERE expires_at < \(old)",
            "DELETE FROM oauth_grants WHERE revoked_at < \(old - .days(30))",
        ]
        for statement in statements {
            while !isStopping(), try database.execute("\(statement) LIMIT \(Self.batch)").affectedRows == Self.batch {}
        }
    }
}
