import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import LogKit

/// The key by which a platform's own programs come in: `lvng_plat_` and 48 hex digits.
///
/// Of its 192 random bits nothing can be guessed, so that its SHA-256 is all that is kept.
public struct PlatformKey: Sendable {
    /// The whole key, to be shown once.
    let text: Secret<String>
    /// What is kept of it.
    let digest: [UInt8]
    /// By which people tell it from others.
    let lastFour: String

    private static let prefix = "lvng_plat_"

    /// A new key.
    init(_ world: World) {
        let text = Self.prefix + Hex.encode(world.randomBytes(24))
        self.text = Secret(text)
        digest = SHA256.digest(text.utf8)
        lastFour = String(text.suffix(4))
    }

    /// Whether a credential has the form of such a key; others need not be looked up.
    public static func isKey(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst(prefix.utf8.count)
        return text.hasPrefix(prefix) && digits.count == 48
            && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

extension Platforms {
    /// What a platform key may do, in its own integration and nowhere else.
    static let keyRights: [Scope] = [.read(.connections), .read(.channels), .write(.channels), .write(.messages)]

    /// Whose platform key somebody sent; nil when it opens nothing.
    ///
    /// Nothing is kept in memory: the key is looked up by its digest on a unique index for each request, so that one that
    /// was revoked or replaced is refused from the next request on, in every worker of every host.
    ///
    /// - Throws: `Problem` 403 `disabled` for the key of an integration that is switched off.
    public func principal(_ sent: Secret<String>) throws -> Principal? {
        guard sent.reveal({ PlatformKey.isKey($0) }) else { return nil }
        let digest = sent.reveal { SHA256.digest($0.utf8) }
        let row = try database.row(
            """
            SELECT i.id, i.organization_id, i.api_key_hash, i.platform_name, i.api_key_last_four, i.enabled,
                   o.name AS organization
              FROM platform_integrations i
              JOIN organizations o ON o.id = i.organization_id
             WHERE i.api_key_hash = \(digest)
            """)
        guard let row, equalInConstantTime(try row.get("api_key_hash"), digest) else { return nil }
        guard try row.get("enabled", as: Bool.self) else {
            throw Problem(403, "disabled", "The integration of this key is disabled for the time being.")
        }
        let id: Identifier<PlatformIntegration> = try row.get("id")
        let name = try "\(row.get("platform_name", as: String.self)) …\(row.get("api_key_last_four", as: String.self))"
        return Principal(
            actor: Actor(kind: .platformKey, id: id.bytes, name: name),
            memberships: [
                .init(
                    organization: try row.get("organization_id"), name: try row.get("organization"), role: .admin)
            ], limits: Self.keyRights)
    }
}
