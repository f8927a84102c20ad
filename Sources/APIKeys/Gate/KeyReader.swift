import CipherKit
import DatabaseKit
import Domain
import ProcessKit
import TimeKit

/// The SHA-256 of a key, as the cache compares it.
struct KeyDigest: Hashable, Sendable {
    /// The four words, most significant first.
    let words: InlineArray<4, UInt64>
    /// All 32 bytes.
    let bytes: [UInt8]

    /// The digest of what somebody sent.
    init(of sent: String) {
        bytes = SHA256.digest(sent.utf8)
        var words = InlineArray<4, UInt64>(repeating: 0)
        for index in 0..<32 { words[index / 8] = words[index / 8] << 8 | UInt64(bytes[index]) }
        self.words = words
    }

    /// The words are as good as random already; one is enough to tell buckets apart.
    func hash(into hasher: inout Hasher) { hasher.combine(words[0]) }

    static func == (one: Self, other: Self) -> Bool {
        // Every word is looked at, whatever the first ones say.
        var difference: UInt64 = 0
        for index in 0..<4 { difference |= one.words[index] ^ other.words[index] }
        return difference == 0
    }
}

/// Where keys are looked up: the one question that is asked of the database before any organization is known.
struct KeyReader: Sendable {
    let database: Database

    /// The key with this digest, of its present secret or of the one before; nil when there is none.
    ///
    /// Found by its digest on a unique index, then compared once more in constant time. Unknown and ended keys ask the
    /// database the same one question.
    func key(_ digest: KeyDigest, generation: UInt64) throws -> ResolvedKey? {
        let row = try database.row(
            """
            SELECT k.id, k.key_hash, k.previous_hash, k.name, k.scopes, k.requests_per_minute, k.requests_per_hour,
                   k.requests_per_day, k.allowed_ips, k.user_id, k.expires_at, k.disabled_at, k.revoked_at,
                   IF(k.key_hash = \(digest.bytes), NULL, k.previous_ends_at) AS secret_ends_at,
                   k.organization_id, o.name AS organization, m.role, u.disabled_at AS user_disabled_at
              FROM api_keys k
              JOIN organizations o ON o.id = k.organization_id
              LEFT JOIN users u ON u.id = k.user_id
              LEFT JOIN memberships m ON m.user_id = k.user_id AND m.organization_id = k.organization_id
             WHERE k.id = (SELECT id FROM api_keys WHERE key_hash = \(digest.bytes)
                            UNION ALL
                           SELECT id FROM api_keys WHERE previous_hash = \(digest.bytes)
                            LIMIT 1)
            """)
        guard let row else { return nil }
        let present: [UInt8] = try row.get("key_hash")
        let previous: [UInt8]? = try row.get("previous_hash")
        guard
            equalInConstantTime(present, digest.bytes)
                || previous.map({ equalInConstantTime($0, digest.bytes) }) ?? false
        else { return nil }
        return try ResolvedKey(row, generation: generation)
    }
}

/// Looks up how often what keys are resolved with was changed on any host.
struct KeyGeneration: Sendable {
    let database: Database
    let shared: SharedGeneration
    let clock: @Sendable () -> MonotonicTime

    /// Looks it up now.
    func lookUp() throws {
        let moment = clock()
        shared.saw(
            UInt64(clamping: try Generations.value(of: Generations.apiKeys, in: database)), at: moment)
    }
}
