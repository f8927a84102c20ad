import CipherKit
import DatabaseKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// Taking over the connections of a former system.
public struct LegacyImport: Sendable {
    /// Which system wrote the rows.
    public enum Format: String, CaseIterable, Sendable {
        /// Rows of PhoenixKit's settings: `integration:{provider}:{name}` with `value_json`.
        case phoenixkit
        /// Rows of the Integrations API (MVP): `token_encrypted` by Fernet, `extra`, `is_active`.
        case django
        /// Rows of the Integrations Hub's table `integrations`.
        case supabase
    }

    /// What opens values that the former system has sealed.
    public struct Keys: Sendable {
        let fernet: [FernetKey]
        let settings: SymmetricKey?

        /// - Parameters:
        ///   - fernetKeys: `FERNET_KEY`: one key, or several separated by commas, the newest first.
        ///   - secretKeyBase: PhoenixKit's `secret_key_base`, for its `enc:v1:` values.
        /// - Throws: ``LegacyFileError`` when a key is none.
        public init(
            fernetKeys: Secret<String>? = nil, secretKeyBase: Secret<String>? = nil
        ) throws(LegacyFileError) {
            let texts = fernetKeys?.reveal { $0.split(separator: ",").map { String($0).trimmedEnds } } ?? []
            fernet = texts.filter { !$0.isEmpty }.compactMap { FernetKey($0) }
            guard fernet.count == texts.count(where: { !$0.isEmpty }) else {
                throw LegacyFileError("FERNET_KEY is no Fernet key: 32 bytes as base64url.")
            }
            settings = secretKeyBase.flatMap { base in
                base.reveal { SymmetricKey(SHA256.digest("phoenix_kit_integrations:\($0)".utf8)) }
            }
        }
    }

    /// What became of a row.
    public struct Outcome: Sendable, Equatable {
        /// What was done.
        public enum Kind: String, CaseIterable, Sendable {
            /// A connection was made of it.
            case imported
            /// Its connection was brought up to it.
            case updated
            /// Everything is here already.
            case unchanged
            /// It was left alone, for a reason.
            case skipped
            /// It could not be read.
            case failed
        }

        /// What was done.
        public let kind: Kind
        /// Where the row stands in the file.
        public let place: String
        /// `telegram:default`, or what could be read of it.
        public let name: String
        /// Why, and what to look at; never a secret.
        public let detail: String
    }

    let format: Format
    let keys: Keys
    let owner: String?
    let overwrites: Bool
    let isRehearsal: Bool

    /// How rows are taken over.
    ///
    /// - Parameters:
    ///   - owner: the former organization whose rows are meant, where a file holds those of several.
    ///   - overwrites: whether rows win over what was changed here since.
    ///   - isRehearsal: whether only to say what would be done.
    public init(_ format: Format, keys: Keys, owner: String? = nil, overwrites: Bool = false, isRehearsal: Bool = false)
    {
        self.format = format
        self.keys = keys
        self.owner = owner
        self.overwrites = overwrites
        self.isRehearsal = isRehearsal
    }
}

extension Connections {
    /// Takes over the rows of a file, each in a transaction of its own: stopped midway, what was reported stays, and the
    /// next run goes on from there. A row that was taken over before and has not changed changes nothing, whatever
    /// became of its connection since.
    ///
    /// - Parameter report: told of each row once it is done.
    /// - Throws: ``LegacyFileError`` when the file makes no sense; `DatabaseError`.
    public func importLegacy(
        _ bytes: [UInt8], _ how: LegacyImport, by scope: OrganizationScope,
        report: (LegacyImport.Outcome) throws -> Void
    ) throws {
        let reader = LegacyReader(format: how.format, catalogue: catalogue, keys: how.keys)
        let rows = try LegacyRows.read(bytes).filter { row in
            how.owner == nil || row.members == nil || reader.owner(of: row) == how.owner
        }
        let owners = Set(rows.compactMap { reader.owner(of: $0) })
        guard owners.count < 2 else {
            let some = owners.sorted().prefix(5).joined(separator: ", ")
            throw LegacyFileError("The file holds rows of \(owners.count) organizations: choose one of \(some).")
        }
        // What an older form says counts only where nothing else does.
        for row in rows.filter({ !reader.isOlderForm($0) }) + rows.filter({ reader.isOlderForm($0) }) {
            try report(importRow(row, reader, how, by: scope))
        }
    }

    private func importRow(
        _ row: LegacyRow, _ reader: LegacyReader, _ how: LegacyImport, by scope: OrganizationScope
    ) throws -> LegacyImport.Outcome {
        let said = row.text("key") ?? row.text("provider") ?? "-"
        let made: LegacyConnection
        do throws(LegacyRefusal) {
            made = try reader.read(row)
        } catch {
            return .init(
                kind: error.isSkip ? .skipped : .failed, place: row.place,
                name: said.wholeMatch(of: /[A-Za-z0-9_:-]{1,100}/) == nil ? "-" : said, detail: error.sentence)
        }
        let name = "\(made.provider.key):\(made.name)"
        do {
            let (kind, detail) = try keep(made, how, by: scope)
            return .init(kind: kind, place: row.place, name: name, detail: detail)
        } catch let refusal as LegacyRefusal {
            return .init(
                kind: refusal.isSkip ? .skipped : .failed, place: row.place, name: name, detail: refusal.sentence)
        } catch is VaultError {
            return .init(
                kind: .failed, place: row.place, name: name,
                detail: "what is here cannot be opened with the key ring that this hub has.")
        }
    }

    /// Ends a rehearsal's transaction, whose work is undone.
    private struct Rehearsed: Error {
        let kind: LegacyImport.Outcome.Kind
        let detail: String
    }

    private func keep(
        _ made: LegacyConnection, _ how: LegacyImport, by scope: OrganizationScope
    ) throws -> (LegacyImport.Outcome.Kind, String) {
        do {
            return try database.transaction { transaction in
                let keeping = LegacyKeeping(
                    room: self, made: made, how: how, scope: scope, transaction: transaction)
                let (kind, detail) = try keeping.keep()
                if how.isRehearsal { throw Rehearsed(kind: kind, detail: detail) }
                return (kind, detail)
            }
        } catch let rehearsed as Rehearsed {
            return (rehearsed.kind, rehearsed.detail)
        }
    }
}
