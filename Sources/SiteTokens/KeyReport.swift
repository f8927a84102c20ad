import CipherKit
import ClientKit
import FoundationEssentials

extension KeyPlace {
    /// What there is at the place of the keys.
    public struct Report: Sendable {
        /// How many keys can be used.
        public let usable: Int
        /// The others, each with why.
        public let skipped: [JSONWebKeySet.Skipped]
        /// What works, but should not stay so: sentences.
        public let warnings: [String]
    }

    /// Looks at the keys once, as `hub doctor` does.
    ///
    /// - Throws: ``KeyPlaceError`` when there are none to be had.
    public func examine(with client: Client) throws(KeyPlaceError) -> Report {
        switch self {
        case .file(let path):
            let set = try KeyFile.read(path)
            return Report(usable: set.keys.count, skipped: set.skipped, warnings: Self.warnings(path, set))
        case .address(let url):
            guard case (.keys(let set, _, _), _) = try KeyAddress.ask(url, client) else {
                throw KeyPlaceError("names an address that answers without keys")
            }
            return Report(usable: set.keys.count, skipped: set.skipped, warnings: [])
        }
    }

    /// A secret that others of the host can read is theirs to sign with.
    private static func warnings(_ path: String, _ set: JSONWebKeySet) -> [String] {
        let mode = KeyFile.number(.posixPermissions, try? FileManager.default.attributesOfItem(atPath: path))
        guard set.keys.contains(where: { $0.key.algorithm == .hs256 }), mode & 0o007 != 0 else { return [] }
        return ["the file holds a secret and can be read by everybody on this host; its mode should be 0640 or less."]
    }
}
