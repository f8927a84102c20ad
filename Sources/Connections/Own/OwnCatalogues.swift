import DatabaseKit
import Domain
import HTTPKit
import ThreadKit
import TimeKit

/// The services of each organization, as this process read them last: asked again every second, read again on change.
final class OwnCatalogues: Sendable {
    private struct Entry: Sendable {
        let askedAt: Timestamp
        let stamps: [OwnProvider.Stamp]
        let catalogue: ProviderCatalogue
    }

    /// How long what was asked counts.
    private static let freshness = Duration.seconds(1)
    /// How many organizations are remembered.
    private static let most = 1_000

    private let builtIn: ProviderCatalogue
    private let entries = Lock<[Identifier<Organization>: Entry]>([:])

    init(builtIn: ProviderCatalogue) { self.builtIn = builtIn }

    /// The services that are built in, and those of the organization beside them.
    ///
    /// - Parameter isMissed: whether something was looked for that is not among what is remembered: another process may
    ///   have stored it just now.
    func catalogue(
        _ store: OwnProviderStore, in querying: some Querying, isMissed: Bool = false
    ) throws -> ProviderCatalogue {
        let organization = store.scope.organization
        let now = store.world.now()
        let known = entries.withLock { $0[organization] }
        if let known, !isMissed, (.zero..<Self.freshness).contains(now - known.askedAt) { return known.catalogue }
        let stamps = try store.stamps(in: querying)
        let entry: Entry
        if let known, known.stamps == stamps {
            entry = Entry(askedAt: now, stamps: stamps, catalogue: known.catalogue)
        } else {
            let files = stamps.isEmpty ? [] : try store.all(in: querying)
            entry = Entry(
                askedAt: now, stamps: files.map(\.stamp),
                catalogue: builtIn.adding(files.compactMap(\.reading.provider)))
        }
        entries.withLock { entries in
            if entries.count >= Self.most { entries.removeAll() }
            entries[organization] = entry
        }
        return entry.catalogue
    }

    /// Forgets an organization, whose services this process has changed.
    func forget(_ organization: Identifier<Organization>) {
        _ = entries.withLock { $0.removeValue(forKey: organization) }
    }
}

extension Connections {
    func ownProviders(_ scope: OrganizationScope) -> OwnProviderStore {
        OwnProviderStore(database: database, world: world, scope: scope)
    }

    /// Every service that an organization can connect.
    func catalogue(for scope: OrganizationScope) throws -> ProviderCatalogue {
        try ownCatalogues.catalogue(ownProviders(scope), in: database)
    }

    /// A service by its key; nil when there is none for this organization. One that is built in is found without asking
    /// the database.
    ///
    /// - Parameter isAskedFor: whether somebody named it outright: then what another process stored just now is found, too.
    func provider(
        _ key: String, _ scope: OrganizationScope, in querying: some Querying, isAskedFor: Bool = false
    ) throws -> Provider? {
        if let provider = catalogue[key] { return provider }
        let store = ownProviders(scope)
        if let provider = try ownCatalogues.catalogue(store, in: querying)[key] { return provider }
        guard isAskedFor else { return nil }
        return try ownCatalogues.catalogue(store, in: querying, isMissed: true)[key]
    }

    /// A service by its key, for work that nobody asked for just now.
    func provider(_ key: String, of organization: Identifier<Organization>) throws -> Provider? {
        try provider(key, Self.scope(of: organization), in: database)
    }

    /// A service that somebody named.
    ///
    /// - Throws: `Problem` 404 when there is none for this organization.
    func requireProvider(_ key: String, _ scope: OrganizationScope) throws -> Provider {
        guard let provider = try provider(key, scope, in: database, isAskedFor: true) else { throw Problem.notFound }
        return provider
    }
}
