import ClientKit
import LogKit

/// Where a webhook leads, as it may be called and as it may be shown.
///
/// The path and the query of a URL are often its only credential, as with Zapier or Make, so the whole is for those who
/// may change webhooks, and all others see ``shown``.
struct ReceiverURL: Sendable {
    /// The whole URL.
    let text: Secret<String>
    /// The URL as ``masked(_:)`` leaves it.
    let shown: String
    /// Scheme, host and port.
    let receiver: String

    /// Why a URL cannot be taken, in a stable word and a sentence.
    struct Refusal: Error {
        let code: String
        let detail: String
    }

    /// Reads a URL.
    init(_ text: String, allowsHTTP: Bool) throws(Refusal) {
        guard text.utf8.count <= 2_048 else {
            throw Refusal(code: "too_long", detail: "This takes at most 2048 characters.")
        }
        guard !text.contains("#") else {
            throw Refusal(code: "fragment", detail: "A URL with a fragment (#…) cannot be called; leave it away.")
        }
        let url: OutboundURL
        do throws(ClientError) {
            url = try OutboundURL(text)
        } catch {
            throw Refusal(
                code: "invalid_url", detail: "Write a URL such as https://example.com/webhooks, without a user name.")
        }
        guard url.origin.scheme == "https" || allowsHTTP else {
            throw Refusal(code: "insecure_url", detail: "This must begin with https://.")
        }
        self.text = Secret(url.text)
        receiver = "\(url.origin.scheme)://\(url.origin.host):\(url.origin.port)"
        shown = Self.masked(url.text)
    }

    /// A URL without what may be a secret: all behind the first step of its path, and that step too when it looks like one.
    ///
    /// The tokens of Zapier are as short as words and stand last, those of Make and webhook.site are all of the path.
    static func masked(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "***" }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        let rest = url[authority.endIndex...]
        let steps = rest.prefix { $0 != "?" }.split(separator: "/")
        let first = steps.first.map { looksSecret($0) ? "***" : $0 } ?? ""
        let shown = "\(url[..<authority.endIndex])/\(first)" + (steps.count > 1 ? "/***" : "")
        return String((shown + (rest.contains("?") ? "?***" : "")).prefix(400))
    }

    /// Whether a step of a path is rather a token than a word: long, or letters and digits mixed.
    private static func looksSecret(_ step: Substring) -> Bool {
        let digits = step.utf8.count { (0x30...0x39).contains($0) }
        return step.utf8.count >= 24 || step.utf8.count >= 8 && digits >= 3
    }
}
