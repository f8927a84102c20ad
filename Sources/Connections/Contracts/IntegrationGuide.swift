/// What the field guide of the Integrations API asks of a service: where its token goes, and what must stand in `extra`.
struct IntegrationGuide: Sendable {
    /// The key of the service.
    let provider: String
    /// The field of the set-up that the token is; nil where it is an access token, as a sign-in would give.
    let tokenField: String?
    /// What `extra` must hold.
    let required: [String]
    /// What `extra` holds when nobody says otherwise.
    let standards: [String: String]
    /// What a test message needs besides: to whom it goes.
    let neededForTest: [String]

    private init(
        _ provider: String, tokenField: String?, required: [String] = [], standards: [String: String] = [:],
        neededForTest: [String] = []
    ) {
        self.provider = provider
        self.tokenField = tokenField
        self.required = required
        self.standards = standards
        self.neededForTest = neededForTest
    }

    /// The guide, in the order in which the contract names its services.
    static let all = [
        IntegrationGuide(
            "whatsapp", tokenField: "auth_token", required: ["account_sid", "from_whatsapp"],
            neededForTest: ["to_whatsapp"]),
        IntegrationGuide("sendgrid", tokenField: "api_key", required: ["from_email"], neededForTest: ["to_email"]),
        IntegrationGuide("telegram", tokenField: "bot_token", neededForTest: ["chat_id"]),
        IntegrationGuide("instagram", tokenField: nil, required: ["instagram_scoped_id"]),
        IntegrationGuide("google_calendar", tokenField: nil, standards: ["calendar_id": "primary"]),
    ]

    /// The guide of a service; nil for one that the contract does not know.
    init?(_ provider: String) {
        guard let known = Self.all.first(where: { $0.provider == provider }) else { return nil }
        self = known
    }
}

extension ProviderField {
    /// Whether `extra` shows it: what is neither secret nor the hub's own name at the service.
    var isExtra: Bool { kind != .secret && name != "client_id" }
}
