import CipherKit
import HTTPKit
import TemplateKit

/// What the last action did, told once on the next page.
///
/// It travels in a cookie that is signed with the browser's own form token, so that nobody else can put words there.
public struct Flash: Sendable, Equatable {
    /// How the sentence is meant.
    public enum Tone: String, Sendable {
        /// It worked.
        case good
        /// It worked, but.
        case warn
        /// It did not.
        case bad
    }

    static let cookieName = "hub_flash"

    let tone: Tone
    let text: String

    /// A sentence and how it is meant.
    public init(tone: Tone, text: String) {
        self.tone = tone
        self.text = text
    }

    init?(cookie: String, key: String) {
        let parts = cookie.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        // A caller who is not known yet has no key, and a signature without a key proves nothing.
        guard !key.isEmpty, parts.count == 3, let tone = Tone(rawValue: parts[0]),
            let bytes = Base64URL.decode(parts[1]),
            let text = String(validating: bytes, as: UTF8.self),
            equalInConstantTime(
                Array(parts[2].utf8), Array(Self.signature(of: parts[0] + "." + parts[1], key: key).utf8))
        else { return nil }
        self.init(tone: tone, text: text)
    }

    func cookie(on site: Site, key: String) -> SetCookie {
        let body = tone.rawValue + "." + Base64URL.encode(Array(String(text.unicodeScalars.prefix(300)).utf8))
        return site.cookie(Self.cookieName, body + "." + Self.signature(of: body, key: key), maxAge: .seconds(60))
    }

    private static func signature(of body: String, key: String) -> String {
        Base64URL.encode(HMAC.sha256(Array("flash.\(body)".utf8), key: Array(key.utf8)))
    }
}
