import ClientKit
import LogKit

/// Where a webhook leads, as it may be called and as it may be shown.
///
/// The path and the query of a URL are often its only credential, as with Zapier or Make, so the whole is for those who
/// may change webhooks, and all others see ``shown``.
struct ReceiverURL: Sendable {
    /// The whole URL.
    let text: Secret<String>
    /// The URL without what looks like a secret.
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
        shown = Self.shown(url)
    }

    private static func shown(_ url: OutboundURL) -> String {
        let start = url.origin.description
        let rest = url.text.dropFirst(start.count)
        let path = rest.prefix { $0 != "?" }
        let steps = path.split(separator: "/").map { looksSecret($0) ? "***\($0.suffix(4))" : String($0) }
        let query = rest.contains("?") ? "?***" : ""
        return String((start + "/" + steps.joined(separator: "/") + query).prefix(400))
    }

    /// Whether a step of a path is rather a token than a word: long, or letters and digits mixed.
    private static func looksSecret(_ step: Substring) -> Bool {
        let digits = step.utf8.count { (0x30...0x39).contains($0) }
        return step.utf8.count >= 24 || step.utf8.count >= 8 && digits >= 3
    }
}
