/// What people and scripts can have a service do for them, beyond the calls that they make themselves.
enum Capability: String, Sendable, CaseIterable {
    /// It takes messages.
    case messages
    /// It takes events of a calendar.
    case calendar
    /// Its channels can be read and written.
    case channels
    /// People sign in there.
    case signIn = "sign_in"
    /// A token got elsewhere serves instead of a sign-in.
    case ownToken = "own_token"
    /// A grant can be given back there.
    case revoke
    /// It is asked every hour for what is worth showing of it.
    case sync
}

/// How a service takes messages.
struct ProviderMessage: Sendable {
    /// The interface that takes them.
    enum Kind: String, Sendable, CaseIterable {
        case whatsappTwilio = "whatsapp_twilio"
        case sendgrid
        case telegram
        case instagram
        case slack
        case discord
        case teamsWorkflow = "teams_workflow"
        case smtp

        /// The values that it needs; of each group one is enough. `access_token` is there where people sign in.
        var needs: [[String]] {
            switch self {
            case .whatsappTwilio: [["account_sid"], ["auth_token"], ["from_whatsapp"]]
            case .sendgrid: [["api_key"], ["from_email"]]
            case .telegram: [["bot_token"]]
            case .instagram: [["access_token"]]
            case .slack: [["access_token", "bot_token"]]
            case .discord: [["bot_token", "webhook_url"]]
            case .teamsWorkflow: [["webhook_url"]]
            case .smtp: [["host"], ["from_email"]]
            }
        }
    }

    let kind: Kind
    /// The version of the interface, `v23.0`, where the service puts one into its addresses.
    let version: String?
}

/// How a service takes events of a calendar.
enum ProviderCalendar: String, Sendable, CaseIterable {
    case google

    /// The values that it needs; of each group one is enough.
    var needs: [[String]] { [["access_token"]] }
}

extension Provider {
    /// What it can do.
    var capabilities: [Capability] {
        let all: [(Capability, Bool)] = [
            (.messages, message != nil), (.calendar, calendar != nil), (.channels, channels != nil),
            (.signIn, oauth != nil),
            (.ownToken, oauth?.ownToken != nil), (.revoke, oauth?.revocation != nil), (.sync, !sync.isEmpty),
        ]
        return all.filter(\.1).map(\.0)
    }
}
