import CipherKit
import Domain
import HTTPKit
import LogKit

/// Twilio's signature: over the address that Twilio was given, and every field of a form.
///
/// > If the request is a POST, sort all the POST fields alphabetically by key and concatenate the parameter name and value
/// > to the end of the URL (with no delimiter).     Twilio, Security
extension Scheme {
    static func twilio(_ arrival: Arrival, _ secrets: [InboundSecret]) throws(Failure) -> [Bool] {
        let name = "x-twilio-signature"
        guard let given = Base64.decode(try arrival.only(name)), given.count == 20 else {
            throw .malformed(name, "20 bytes as base64")
        }
        let fields = try twilioFields(arrival)
        // Twilio's own library tries both, since some of its products name the port and others do not.
        let addresses = [arrival.url] + [PublicAddress(arrival.url)?.withOtherPort].compactMap(\.self)
        let contents = addresses.map { Array(($0 + fields).utf8) }
        return secrets.map { secret in
            secret.value.reveal { text in
                contents.reduce(false) { found, content in
                    equalInConstantTime(HMAC.sha1(content, key: Array(text.utf8)), given) || found
                }
            }
        }
    }

    /// What Twilio has signed of a request that was proved to be its own, whichever port it was given.
    static func twilioContent(of arrival: Arrival) -> String { arrival.url + (arrival.form.map(sorted) ?? "") }

    private static func sorted(_ form: Form) -> String {
        form.names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { name in
            Set(form.all(name)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { name + $0 }.joined()
        }.joined()
    }

    /// The fields of a form behind each other; of any other body nothing, once its digest in the address was compared.
    private static func twilioFields(_ arrival: Arrival) throws(Failure) -> String {
        if let form = arrival.form { return sorted(form) }
        let digests = arrival.query?.all("bodySHA256") ?? []
        guard let digest = digests.first else {
            if arrival.body.isEmpty { return "" }
            throw .missing("bodySHA256 in the address, or a form,")
        }
        guard digests.count == 1, let named = Hex.decode(digest),
            equalInConstantTime(named, SHA256.digest(arrival.body))
        else { throw .otherBody }
        return ""
    }
}

/// An absolute address with its authority apart.
struct PublicAddress {
    private let scheme: Substring
    private let host: Substring
    private let port: Substring?
    private let rest: Substring

    init?(_ url: String) {
        guard let cut = url.firstRange(of: "://") else { return nil }
        scheme = url[..<cut.lowerBound]
        let behind = url[cut.upperBound...]
        let authority = behind.prefix { $0 != "/" && $0 != "?" }
        rest = behind.dropFirst(authority.count)
        // Not the colons of an address of IPv6 in its brackets.
        let colon = authority.lastIndex(of: ":").flatMap { authority[$0...].contains("]") ? nil : $0 }
        host = authority[..<(colon ?? authority.endIndex)]
        port = colon.map { authority[authority.index(after: $0)...] }
    }

    /// The same without its port, or with the port of its scheme.
    var withOtherPort: String {
        port == nil ? "\(scheme)://\(host):\(scheme == "https" ? 443 : 80)\(rest)" : "\(scheme)://\(host)\(rest)"
    }

    /// The same by the other scheme.
    var withOtherScheme: String {
        "\(scheme == "https" ? "http" : "https")://\(host)\(port.map { ":\($0)" } ?? "")\(rest)"
    }

    /// The same without its query.
    var withoutQuery: String {
        "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")\(rest.prefix { $0 != "?" })"
    }
}
