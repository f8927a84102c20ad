import CipherKit
import DatabaseKit
import LogKit
import ThreadKit
import TimeKit

/// Why a secret cannot be sealed or opened.
public enum VaultError: Error, Equatable, Sendable {
    /// The key ring does not hold the master key that wraps the organization's data key.
    case masterKeyMissing(MasterKeyID)
    /// The record, or the key that it names, is not what was written.
    case damaged
}

/// Seals an organization's secrets and opens them again.
///
/// Each organization has data keys of its own, wrapped by a master key of the key ring (A8-03). A record is bound to its
/// organization, table, row and column, so that it opens nowhere else (A8-10). What cannot be opened is a typed error,
/// never an empty value: nothing overwrites it.
public final class Vault: Sendable {
    /// Where a record stands.
    public struct Place: Sendable {
        let table: String
        let row: [UInt8]
        let column: String

        /// A column of a row.
        public init<Kind>(_ table: String, _ row: Identifier<Kind>, _ column: String) {
            self.table = table
            self.row = row.bytes
            self.column = column
        }

        /// A column of a row whose key is no ``Identifier``.
        public init(_ table: String, row: [UInt8], _ column: String) {
            self.table = table
            self.row = row
            self.column = column
        }
    }

    private struct KeyName: Hashable {
        let organization: Identifier<Organization>
        let number: UInt32
    }

    private let ring: KeyRing
    private let world: World
    /// What became of each data key that was asked for; the ring does not change while a process lives.
    private let known = Lock<[KeyName: Result<DataKey, VaultError>]>([:])
    /// Which data key an organization seals with.
    private let newest = Lock<[Identifier<Organization>: UInt32]>([:])

    /// A vault that a key ring opens.
    public init(ring: KeyRing, world: World) {
        self.ring = ring
        self.world = world
    }

    /// Makes an organization's data key, in the transaction that makes the organization.
    ///
    /// Not at the first sealing: a key remembered from a transaction that is rolled back would seal what nobody can open.
    public func prepare(_ organization: Identifier<Organization>, in transaction: Transaction) throws {
        let made = DataKey(number: 1)
        try transaction.execute(
            """
            INSERT INTO data_keys (organization_id, number, wrapped, created_at)
            VALUES (\(organization), \(made.number), \(ring.wrap(made, context: organization.bytes)), \(world.now()))
            """)
    }

    /// Whose data key the hub's own is: no organization has this id.
    static let hub = Identifier<Organization>(lowestAt: Timestamp(seconds: 0))

    /// A key of the hub itself for one use, which stays the same whichever master key is primary; made when first asked for.
    ///
    /// It is derived from a data key that belongs to no organization and is wrapped, rewrapped and counted like the others.
    ///
    /// - Throws: ``VaultError`` when it cannot be unwrapped; `DatabaseError` when it cannot be read or made.
    public func hubKey(label: StaticString, in database: Database) throws -> SymmetricKey {
        let name = KeyName(organization: Self.hub, number: 1)
        if known.withLock({ $0[name] }) == nil {
            let made = DataKey(number: name.number)
            // Of several processes the first makes it. Not in a transaction, since what is remembered must be there.
            try database.execute(
                """
                INSERT INTO data_keys (organization_id, number, wrapped, created_at)
                VALUES (\(Self.hub), \(made.number), \(ring.wrap(made, context: Self.hub.bytes)), \(world.now()))
                    ON DUPLICATE KEY UPDATE number = number
                """)
        }
        return try dataKey(name, in: database).derivedKey(label: label)
    }

    /// Seals a secret for its place.
    ///
    /// - Throws: ``VaultError`` when the organization's data key cannot be unwrapped; a second one is not made, since
    ///   what the first one sealed would look lost. `DatabaseError` when the key cannot be read.
    public func seal(
        _ secret: [UInt8], at place: Place, for organization: Identifier<Organization>, in querying: some Querying
    ) throws -> [UInt8] {
        let key = try sealingKey(of: organization, in: querying)
        return SealedRecord.seal(secret, with: key, place: sealedPlace(place, organization))
    }

    /// Opens a secret at its place.
    ///
    /// - Throws: ``VaultError``; `DatabaseError` when the key cannot be read.
    public func open(
        _ sealed: [UInt8], at place: Place, for organization: Identifier<Organization>, in querying: some Querying
    ) throws -> [UInt8] {
        do {
            let number = try SealedRecord.keyNumber(of: sealed)
            let key = try dataKey(KeyName(organization: organization, number: number), in: querying)
            return try SealedRecord.open(sealed, with: key, place: sealedPlace(place, organization))
        } catch is SealError {
            throw VaultError.damaged
        }
    }

    /// The master keys that some data key needs and the ring does not hold.
    public func missingMasterKeys(in querying: some Querying) throws -> [MasterKeyID] {
        let needed = Set(try Self.dataKeyCounts(in: querying).keys)
        return needed.subtracting(ring.ids).sorted { $0.raw < $1.raw }
    }

    /// How many data keys each master key wraps.
    public static func dataKeyCounts(in querying: some Querying) throws -> [MasterKeyID: Int] {
        // A wrapped key begins with its version and the number of the master key.
        let rows = try querying.rows(
            """
            SELECT CAST(CONV(HEX(SUBSTRING(wrapped, 2, 4)), 16, 10) AS UNSIGNED) AS master, COUNT(*) AS count
              FROM data_keys
             GROUP BY master
            """)
        let pairs = try rows.map { (MasterKeyID(raw: try $0.get("master")), try $0.get("count", as: Int.self)) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    private func sealedPlace(_ place: Place, _ organization: Identifier<Organization>) -> SealedPlace {
        SealedPlace(organization: organization.bytes, table: place.table, row: place.row, column: place.column)
    }

    private func dataKey(_ name: KeyName, in querying: some Querying) throws -> DataKey {
        if let known = known.withLock({ $0[name] }) { return try known.get() }
        let row = try querying.row(
            """
            SELECT wrapped
              FROM data_keys
             WHERE organization_id = \(name.organization) AND number = \(name.number)
            """)
        guard let row else { throw VaultError.damaged }
        let result = unwrap(try row.get("wrapped"), name)
        known.withLock { $0[name] = result }
        return try result.get()
    }

    private func unwrap(_ wrapped: [UInt8], _ name: KeyName) -> Result<DataKey, VaultError> {
        Result { () throws(VaultError) in
            do throws(WrapError) {
                return try ring.unwrap(wrapped, number: name.number, context: name.organization.bytes)
            } catch {
                switch error {
                case .unknownMasterKey(let id): throw .masterKeyMissing(id)
                case .damaged: throw .damaged
                }
            }
        }
    }

    /// The key that an organization seals with: the newest.
    private func sealingKey(of organization: Identifier<Organization>, in querying: some Querying) throws -> DataKey {
        let remembered = newest.withLock { $0[organization] }
        guard let number = try remembered ?? newestNumber(of: organization, in: querying) else {
            throw VaultError.damaged
        }
        let key = try dataKey(KeyName(organization: organization, number: number), in: querying)
        newest.withLock { $0[organization] = number }
        return key
    }

    private func newestNumber(of organization: Identifier<Organization>, in querying: some Querying) throws -> UInt32? {
        try querying.row(
            """
            SELECT number
              FROM data_keys
             WHERE organization_id = \(organization)
             ORDER BY number DESC
             LIMIT 1
            """)?.get("number")
    }
}
