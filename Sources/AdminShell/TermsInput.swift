import Domain
import HTTPKit

/// What the terms of keys and apps have in common, read from forms and JSON alike.
extension Input {
    /// The most scopes that one credential takes.
    public static let mostScopes = 50

    /// The field `scopes`, each once; those of a form's second field with them.
    ///
    /// - Parameter more: what stands in a form's field `other_scopes`, word by word.
    public mutating func scopes(more: [String] = []) -> [Scope]? {
        let texts = (texts("scopes", atMost: Self.mostScopes) ?? []) + more
        var seen: Set<Scope> = []
        var scopes: [Scope] = []
        for (index, text) in texts.enumerated() {
            guard let scope = Scope(text) else {
                let isMore = index >= texts.count - more.count
                refuse(
                    isMore ? "other_scopes" : "scopes", "invalid_scope",
                    "“\(text.prefix(140))” is no scope; write resource:action, such as connections:read or admin:*.")
                continue
            }
            if seen.insert(scope).inserted { scopes.append(scope) }
        }
        if texts.count > Self.mostScopes {
            refuse("scopes", "too_many", "This takes at most \(Self.mostScopes) entries.")
        }
        return texts.isEmpty ? required("scopes", nil) : scopes
    }

    /// The object `rate_limit` as a merge patch: what is not named stays, `null` means what is usual.
    public mutating func patch(_ limit: inout RateLimit, usual: RateLimit, highest: Int) {
        requireObject("rate_limit")
        if isNull("rate_limit") { limit = usual }
        for span in RateLimit.Span.allCases {
            if let given = requests(span, highest) { limit[span] = given }
            if isNull(span.field) { limit[span] = usual[span] }
        }
    }

    /// The three limits as a form says them, what is usual where it is left empty.
    public mutating func filledRateLimit(usual: RateLimit, highest: Int) -> RateLimit {
        var limit = usual
        for span in RateLimit.Span.allCases { limit[span] = requests(span, highest) ?? usual[span] }
        return limit
    }

    private mutating func requests(_ span: RateLimit.Span, _ highest: Int) -> Int? {
        number(span.field, 1...Int64(highest)).map(Int.init)
    }

    /// The lines of a field that may be left out, or its words; none of them is empty.
    public mutating func lines(
        _ name: String, isSplitAtBlanks: Bool = false, atMost length: Int = 8_192
    ) -> [String] {
        let text = optionalText(name, 0...length) ?? ""
        return text.split { isSplitAtBlanks ? $0.isWhitespace || $0 == "," : $0.isNewline }
            .map { String($0.trimmed) }.filter { !$0.isEmpty }
    }
}

extension RateLimit {
    /// The fields of a form in which the three limits are written.
    public var fields: [FormField] {
        Span.allCases.map { span in
            FormField(
                span.field, "Requests \(span == .hour ? "an" : "a") \(span.rawValue)",
                .line(type: "text", autocomplete: "off", inputMode: "numeric", isPlain: true), width: .short,
                initial: ["\(self[span])"])
        }
    }
}
