import HTTPKit

/// The parameters of a request to an OAuth endpoint, each given once.
///
/// > Parameters sent without a value MUST be treated as if they were omitted from the request. The authorization server
/// > MUST ignore unrecognized request parameters. Request and response parameters MUST NOT be included more than once.
/// >     RFC 6749 §3.1, §3.2
struct OAuthForm: Sendable {
    /// The only parameter that may come several times (RFC 8707 §2).
    static let repeatable: Set<String> = ["resource"]
    /// The most bytes that a value may have; the gateway bounds the whole.
    private static let longest = 8_192

    private let pairs: [(name: String, value: String)]

    /// Reads the body of a POST to an endpoint that clients call: a form and nothing else, and nothing in the address.
    ///
    /// > The parameters can only be transmitted in the request body and MUST NOT be included in the request URI.
    /// >     RFC 6749 §2.3.1
    init(_ request: Request) throws(OAuthError) {
        guard request.mediaType == "application/x-www-form-urlencoded" else {
            let sent = request.mediaType == "application/json" ? "not as JSON" : "in the body"
            throw OAuthError(
                .invalidRequest,
                "Send the parameters \(sent) but as a form: Content-Type application/x-www-form-urlencoded.",
                status: 415)
        }
        guard request.rawQuery.isEmpty else {
            throw OAuthError(
                .invalidRequest, "Send the parameters in the body; none of them may stand in the address.")
        }
        let form: Form
        do throws(Problem) {
            form = try request.form()
        } catch {
            throw OAuthError(.invalidRequest, "The body is no form in UTF-8 that can be read.")
        }
        try self.init(form)
    }

    /// Reads parameters that stand in a query or were kept.
    init(_ form: Form) throws(OAuthError) {
        if let name = Self.repeated(form) {
            throw OAuthError(.invalidRequest, "A parameter may be given once only: \(Self.shown(name)).")
        }
        guard form.pairs.allSatisfy({ $0.value.utf8.count <= Self.longest }) else {
            throw OAuthError(.invalidRequest, "A parameter is longer than \(Self.longest) bytes.")
        }
        pairs = form.pairs.filter { !$0.value.isEmpty }
    }

    /// The first name that is given twice and may not be: few are compared one by one, many are looked up.
    private static func repeated(_ form: Form) -> String? {
        let pairs = form.pairs
        if pairs.count <= 12 {
            return pairs.indices.first { place in
                pairs[..<place].contains { $0.name == pairs[place].name } && !repeatable.contains(pairs[place].name)
            }.map { pairs[$0].name }
        }
        var seen: Set<String> = []
        return pairs.first { !repeatable.contains($0.name) && !seen.insert($0.name).inserted }?.name
    }

    /// The value of a parameter; nil when it is absent or empty.
    subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

    /// Every value of a parameter that may come several times.
    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// The value of a parameter that must be there.
    func required(_ name: String) throws(OAuthError) -> String {
        guard let value = self[name] else { throw OAuthError(.invalidRequest, "The parameter \(name) is missing.") }
        return value
    }

    /// The parameters of these names, as they are kept.
    func kept(_ names: Set<String>) -> Form { Form(pairs: pairs.filter { names.contains($0.name) }) }

    /// The first value of a parameter whatever else is wrong with the form: for telling a known client from a stranger.
    static func lone(_ name: String, in form: Form) -> String? {
        let values = form.all(name)
        return values.count == 1 && !values[0].isEmpty ? values[0] : nil
    }

    /// A name that somebody else chose, as a sentence may show it.
    private static func shown(_ name: String) -> String {
        String(name.unicodeScalars.prefix(40).filter { $0.isASCII && $0.properties.generalCategory != .control })
    }
}
