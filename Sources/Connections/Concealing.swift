import HTTPKit

/// Leaves the secrets of a set-up out of what a service says: some repeat in an answer what they were sent.
struct Concealing: Sendable {
    private let secrets: [String]

    /// - Parameter values: the whole set-up of a connection to the provider.
    init(_ provider: Provider, _ values: [String: String]) {
        // Shorter ones stand in many words, and would be known by what is missing.
        let known = provider.fields.filter { $0.kind == .secret }.compactMap { values[$0.name] }.filter {
            $0.count >= 4
        }
        secrets = known.flatMap { [$0, Percent.encode($0)] }.sorted { $0.count > $1.count }
    }

    /// The text without secrets and control characters, cut to a length only then, so that no beginning of one remains.
    func callAsFunction(_ text: String, atMost limit: Int = 200) -> String {
        let concealed = secrets.reduce(text) { $0.replacing($1, with: "•••") }
        let plain = concealed.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
        return String(String.UnicodeScalarView(plain.prefix(limit)))
    }
}
