import CipherKit
import DatabaseKit
import Domain
import ThreadKit

/// Keys for what is handed out and comes back later: cursors of lists, the pairs of used refresh tokens.
///
/// They are derived from the hub's own data key and not from a master key, so that what was handed out before a rotation
/// is taken after it, by processes that have loaded the new ring and by those that have not. While the hub's own key
/// cannot be had, as when its master key is missing, those derived from the ring do.
final class LastingKeys: Sendable {
    private let vault: Vault
    private let ring: KeyRing
    private let database: Database
    private let known = Lock<[String: [SymmetricKey]]>([:])

    init(_ vault: Vault, _ ring: KeyRing, _ database: Database) {
        (self.vault, self.ring, self.database) = (vault, ring, database)
    }

    /// The key for one use first, then those which may have stood in for it.
    func keys(for label: StaticString) -> [SymmetricKey] {
        let name = "\(label)"
        if let keys = known.withLock({ $0[name] }) { return keys }
        let standIns = ring.ids.compactMap { ring.derivedKey(label: label, of: $0) }
        guard let own = try? vault.hubKey(label: label, in: database) else { return standIns }
        let keys = [own] + standIns
        known.withLock { $0[name] = keys }
        return keys
    }
}
