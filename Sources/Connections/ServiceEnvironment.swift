import LogKit

/// Clients that the hub's own settings give for services, such as `SHOPIFY_CLIENT_ID` (seed 3).
///
/// Only provider files that the operator put on the server's disk may name variables: whoever could name them elsewhere
/// could have any secret of the hub sent to an address of their own (RFC 9700 §4.4, requirement A2-07).
public struct ServiceEnvironment: Sendable {
    /// None.
    public static let empty = ServiceEnvironment(values: [:])

    /// By the key of a service, the values of its fields.
    private let values: [String: [String: Secret<String>]]

    private init(values: [String: [String: Secret<String>]]) { self.values = values }

    /// The variables that the files of a catalogue name.
    ///
    /// - Parameter variable: what a variable says; nil when it is not set.
    public init(_ catalogue: ProviderCatalogue, variable: (String) -> Secret<String>?) {
        var values: [String: [String: Secret<String>]] = [:]
        for provider in catalogue.providers {
            let parameters = provider.oauth?.environment ?? []
            let found = parameters.compactMap { parameter in variable(parameter.value).map { (parameter.name, $0) } }
            // A client without its secret, or a secret alone, serves nobody.
            guard !found.isEmpty, found.count == parameters.count else { continue }
            values[provider.key] = Dictionary(found) { first, _ in first }
        }
        self.values = values
    }

    /// What the settings give for a service.
    func values(for provider: Provider?) -> [String: Secret<String>] {
        // An organization's own file may have the key of one of the operator's.
        guard let provider, !provider.isOwn else { return [:] }
        return values[provider.key] ?? [:]
    }

    /// The fields that need not be entered.
    func fields(of provider: Provider) -> Set<String> { Set(values(for: provider).keys) }
}
