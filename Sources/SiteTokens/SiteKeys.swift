import CipherKit
import ClientKit

/// Where the keys are that the site signs with.
public enum KeyPlace: Sendable, Equatable {
    /// A file with a JSON Web Key Set.
    case file(path: String)
    /// An address that answers with one.
    case address(url: String)

    /// Reads a setting: an https address, or a path.
    ///
    /// - Throws: ``KeyPlaceError`` for an address that nobody can trust.
    public init(_ text: String) throws(KeyPlaceError) {
        guard text.contains("://") else {
            self = .file(path: text)
            return
        }
        guard let url = try? OutboundURL(text), url.origin.scheme == "https" else {
            throw KeyPlaceError("must be the path of a file or an https address")
        }
        self = .address(url: url.text)
    }
}

/// Why the site's keys cannot be had; a clause that follows the name of the setting.
public struct KeyPlaceError: Error, Equatable, CustomStringConvertible {
    /// The clause.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Keys that are there now, though they may change.
protocol SiteKeys: Sendable {
    /// Begins to get the keys, without waiting.
    func prepare()

    /// The key that a token means; nil when there is none.
    ///
    /// - Throws: `Problem` 503 while no keys can be had.
    func key(for token: CompactJWS) throws -> VerificationKey?
}
