import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit

/// Every change of an organization's own providers, each in one transaction with its line in the audit log.
extension Connections {
    /// How large a provider file may be, in bytes.
    static let longestProviderFile = 65_536

    /// Reads what somebody wrote, as it would be stored.
    ///
    /// - Parameter key: the provider that is changed; nil for a new one.
    func reading(of source: String, replacing key: String?, _ scope: OrganizationScope) throws -> ProviderReading {
        guard source.utf8.count <= Self.longestProviderFile else {
            throw Problem(413, "content_too_large", "A provider file has at most 64 kB.")
        }
        var taken: [String: String] = [:]
        for stamp in try ownProviders(scope).stamps(in: database) { taken[stamp.key] = "another of your providers" }
        for provider in catalogue.providers { taken[provider.key] = "this hub" }
        if let key { taken[key] = nil }
        let reading = ProviderFile.check(
            "\(key ?? "provider").json", Array(source.utf8), besides: taken, for: .organization)
        guard let key, let provider = reading.provider, provider.key != key,
            let place = (try? JSONFile(parsing: Array(source.utf8)))?.place(of: "/key")
        else { return reading }
        return ProviderReading(
            provider: nil,
            mistakes: [
                ProviderFileError(
                    file: "\(key).json", place: place,
                    pointer: "/key", sentence: "the key stays \(key): connections are known by it.")
            ])
    }

    /// Stores a new provider.
    ///
    /// - Throws: `Problem` 422 that names every mistake, 409 when there are enough.
    func describe(_ source: String, by scope: OrganizationScope) throws -> Provider {
        let provider = try reading(of: source, replacing: nil, scope).requireProvider()
        let store = ownProviders(scope)
        do {
            try database.transaction { transaction in
                guard try store.stamps(in: transaction).count < OwnProviderStore.most else {
                    throw Problem(
                        409, "too_many_providers",
                        "An organization has at most \(OwnProviderStore.most) providers of its own. Remove one first.")
                }
                try store.insert(provider.key, source: source, in: transaction)
                try recordChange("provider.created", provider, by: scope, in: transaction)
            }
        } catch let error as DatabaseError where error.code == .duplicate {
            throw Problem(409, "key_taken", "Somebody has just added a provider with this key.")
        }
        ownCatalogues.forget(scope.organization)
        return provider
    }

    /// Stores another file for a provider.
    ///
    /// - Parameter check: what the caller demands of the provider as it is, such as `If-Match`.
    func describe(
        _ key: String, _ source: String, by scope: OrganizationScope, check: (OwnProvider) throws -> Void
    ) throws -> Provider {
        let provider = try reading(of: source, replacing: key, scope).requireProvider()
        let store = ownProviders(scope)
        try database.transaction { transaction in
            guard let old = try store.lock(key, in: transaction) else { throw Problem.notFound }
            try check(old)
            guard old.source != source else { return }
            // Other addresses would get the credentials that are stored: whoever names them must be allowed to read those.
            guard try scope.allows(.read(.credentials)) || store.connections(to: key, in: transaction) == 0 else {
                throw Problem(
                    403, "insufficient_scope",
                    "There are connections to this provider, whose credentials go where its file says: changing it needs the right credentials:read, too."
                )
            }
            try store.update(key, source: source, in: transaction)
            try recordChange("provider.updated", provider, by: scope, in: transaction)
        }
        ownCatalogues.forget(scope.organization)
        return provider
    }

    /// Removes a provider that nothing is connected to.
    func removeProvider(
        _ key: String, by scope: OrganizationScope, check: (OwnProvider) throws -> Void = { _ in }
    ) throws {
        let store = ownProviders(scope)
        try database.transaction { transaction in
            guard let old = try store.lock(key, in: transaction) else { throw Problem.notFound }
            try check(old)
            if let reason = try reasonToKeepProvider(key, scope, in: transaction) {
                throw Problem(409, "provider_in_use", reason)
            }
            try store.remove(key, in: transaction)
            try audit.record(
                "provider.removed", .init("provider", Identifier<OwnProvider>?.none, name: key),
                by: scope, in: transaction)
        }
        ownCatalogues.forget(scope.organization)
    }

    /// Why a provider cannot be removed; nil when it can.
    func reasonToKeepProvider(
        _ key: String, _ scope: OrganizationScope, in querying: some Querying
    ) throws -> String? {
        let count = try ownProviders(scope).connections(to: key, in: querying)
        guard count > 0 else { return nil }
        return
            "\(count == 1 ? "A connection uses" : "\(count) connections use") this provider. Remove \(count == 1 ? "it" : "them") first."
    }

    private func recordChange(
        _ action: String, _ provider: Provider, by scope: OrganizationScope, in transaction: Transaction
    ) throws {
        try audit.record(
            action, .init("provider", Identifier<OwnProvider>?.none, name: provider.name),
            details: ["key": .string(provider.key), "hosts": .array(provider.addresses.map { .string($0.text) })],
            by: scope, in: transaction)
    }

    /// A provider of the organization's own.
    ///
    /// - Throws: `Problem` 404 for one that is built in, is not there, or is somebody else's.
    func ownProvider(_ key: String, _ scope: OrganizationScope) throws -> OwnProvider {
        guard catalogue[key] == nil, let own = try ownProviders(scope).find(key, in: database) else {
            throw Problem.notFound
        }
        return own
    }
}

extension ProviderReading {
    /// The provider.
    ///
    /// - Throws: `Problem` 422 that names every mistake by pointer, line and column.
    func requireProvider() throws(Problem) -> Provider {
        if let provider { return provider }
        let count = mistakes.count == 1 ? "one mistake" : "\(mistakes.count) mistakes"
        throw Problem(
            422, "invalid_provider", "The provider file has \(count).",
            errors: mistakes.prefix(100).map { mistake in
                let steps = mistake.pointer.split(separator: "/").joined(separator: ".")
                return .init(field: steps, code: "mistake", detail: "\(mistake.place): \(mistake.sentence)")
            })
    }
}

extension Provider {
    /// Every address that calls go to, and what for.
    var addresses: [(what: String, text: String)] {
        var all: [(String, String)] = []
        if let oauth {
            all.append(("Sign-in", oauth.authorizeURL))
            all.append(("Token", oauth.tokenURL))
            if let url = oauth.refreshURL { all.append(("Renewal", url)) }
            if let url = oauth.longLivedURL { all.append(("Exchange", url)) }
            if let call = oauth.revocation?.call { all.append(("Revocation", "\(call.method.rawValue) \(call.url)")) }
        }
        for test in tests {
            switch test.call {
            case .http(let call): all.append(("Test", "\(call.method.rawValue) \(call.url)"))
            case .awsCallerIdentity: all.append(("Test", "POST https://sts.{region}.amazonaws.com/"))
            case .smtp: all.append(("Test", "smtp://{host}:{port}"))
            }
        }
        return all + sync.map { ("Every hour", "\($0.call.method.rawValue) \($0.call.url)") }
    }
}
