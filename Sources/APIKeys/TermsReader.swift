import AddressKit
import AdminShell
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Reads what is asked of a key's terms, all refusals named, from scripts and forms alike.
struct TermsReader {
    /// The most networks that one key takes.
    static let mostNetworks = 100
    /// The farthest end of a key; who wants more wants none.
    static let longestLife = Duration.days(36_500)

    let settings: APIKeys.Settings
    let now: Timestamp

    /// What a key is made with when nothing is said.
    var defaults: KeyTerms {
        KeyTerms(
            name: "", scopes: [], rateLimit: settings.rateLimit, expiresAt: now + .days(settings.defaultExpiryDays))
    }

    // MARK: JSON

    /// The terms after a merge patch (RFC 7396): what is not named stays, `null` means as if it had never been set.
    ///
    /// A new key is a patch of ``defaults``, in which a name and scopes must be given.
    func patched(_ old: KeyTerms, _ input: inout Input, isNew: Bool = false) -> KeyTerms {
        var terms = old
        if isNew || input.isGiven("name"), let name = name(&input) { terms.name = name }
        if isNew || input.isGiven("scopes"), let scopes = input.scopes() { terms.scopes = scopes }
        input.patch(&terms.rateLimit, usual: settings.rateLimit, highest: settings.highestRateLimit)
        if input.isGiven("expires_at") {
            terms.expiresAt = end(&input, "expires_at", orSay: "Write a time as 2027-01-31T00:00:00Z.") {
                Timestamp(rfc3339: $0)
            }
        }
        if input.isGiven("allowed_ips") {
            terms.allowedIPs = networks(&input, input.texts("allowed_ips", atMost: Self.mostNetworks) ?? [])
        }
        if input.isNull("metadata") { terms.metadata = [] }
        for member in input.members("metadata") ?? [] { set(member, in: &terms.metadata, &input) }
        checkSize(of: terms.metadata, &input)
        return terms
    }

    // MARK: Forms

    /// The terms that a form says, all of them; `old` are those that its key has, for the choice to keep the end.
    func filled(_ old: KeyTerms, _ input: inout Input) -> KeyTerms {
        var terms = old
        let more = input.lines("other_scopes", isSplitAtBlanks: true)
        if let name = name(&input) { terms.name = name }
        if let scopes = input.scopes(more: more) { terms.scopes = scopes }
        terms.rateLimit = input.filledRateLimit(usual: settings.rateLimit, highest: settings.highestRateLimit)
        terms.expiresAt = chosenEnd(&input, old: old.expiresAt)
        terms.allowedIPs = networks(&input, input.lines("allowed_ips", isSplitAtBlanks: true))
        terms.metadata = []
        for line in input.lines("metadata") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                input.refuse("metadata", "malformed", "“\(line.prefix(60))” has no =; write name=value.")
                continue
            }
            let name = String(parts[0].trimmed)
            if terms.metadata.contains(where: { $0.name == name }) {
                input.refuse("metadata", "duplicate_name", "“\(name.prefix(64))” is written twice.")
            }
            set(.init(name, .string(String(parts[1]))), in: &terms.metadata, &input)
        }
        checkSize(of: terms.metadata, &input)
        return terms
    }

    /// The choice of an end that keeps the one there is.
    static let keepsEnd = "keep"
    /// The choice of an end that is a date.
    static let endsOnDate = "date"

    /// The chosen number of days, never for an empty choice, a date, or what was; by the setting without a choice.
    private func chosenEnd(_ input: inout Input, old: Timestamp?) -> Timestamp? {
        let choice = input.optionalText("expires_in_days", 0...10)
        let date = end(&input, "expires_on", orSay: "Write a date as 2027-01-31.") { text in
            text.utf8.count == 10 ? Timestamp(rfc3339: text + "T00:00:00Z") : nil
        }
        if choice == Self.endsOnDate { return input.required("expires_on", date) }
        if input.optionalText("expires_on", 0...10) != nil {
            input.refuse("expires_on", "not_chosen", "Choose “on a date” above, or leave this empty.")
        }
        if choice == Self.keepsEnd { return old }
        guard input.isGiven("expires_in_days") else { return now + .days(settings.defaultExpiryDays) }
        return input.number("expires_in_days", 1...36_500).map { now + .days(Int($0)) }
    }
}

/// The fields that forms and scripts share.
extension TermsReader {
    private func name(_ input: inout Input) -> String? { input.text("name", 1...100) }

    private func end(
        _ input: inout Input, _ name: String, orSay sentence: String, by parse: (String) -> Timestamp?
    ) -> Timestamp? {
        let end = input.parsed(name, orSay: sentence, by: parse)
        if let end, end <= now {
            input.refuse(name, "in_the_past", "This must lie in the future.")
        } else if let end, end > now + Self.longestLife {
            input.refuse(name, "out_of_range", "This lies too far ahead; let the key never expire instead.")
        }
        return end
    }

    /// Networks, each once, bits beyond the length cleared.
    private func networks(_ input: inout Input, _ texts: [String]) -> [Network] {
        var networks: [Network] = []
        for text in texts {
            guard let network = Network(text) else {
                input.refuse(
                    "allowed_ips", "invalid_network",
                    "“\(text.prefix(60))” is no address or network; write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32."
                )
                continue
            }
            if !networks.contains(network) { networks.append(network) }
        }
        if networks.count > Self.mostNetworks {
            input.refuse("allowed_ips", "too_many", "This takes at most \(Self.mostNetworks) entries.")
        }
        return networks
    }
}

/// Metadata: at most fifty texts under names of the caller's own, four kilobytes in all.
extension TermsReader {
    static let mostMembers = 50
    private static let mostBytes = 4_096

    private func set(_ member: JSON.Member, in metadata: inout [JSON.Member], _ input: inout Input) {
        guard Self.isName(member.name) else {
            input.refuse(
                "metadata", "invalid_name",
                "“\(member.name.prefix(64))” is no name; write 1 to 64 letters, digits or . _ - : characters.")
            return
        }
        let place = metadata.firstIndex { $0.name == member.name }
        guard member.value != .null else {
            if let place { metadata.remove(at: place) }
            return
        }
        guard let text = member.value.text.map({ String($0.trimmed) }) else {
            input.refuse("metadata", "wrong_type", "“\(member.name)” must be a text.")
            return
        }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            input.refuse("metadata", "invalid_value", "“\(member.name)” must be one line.")
            return
        }
        let clean = JSON.Member(member.name, .string(text))
        if let place { metadata[place] = clean } else { metadata.append(clean) }
    }

    private func checkSize(of metadata: [JSON.Member], _ input: inout Input) {
        if metadata.count > Self.mostMembers {
            input.refuse("metadata", "too_many", "This takes at most \(Self.mostMembers) entries.")
        } else if JSON.object(metadata).bytes.count > Self.mostBytes {
            input.refuse("metadata", "too_long", "This takes at most \(Self.mostBytes) bytes in all.")
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x3a, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
                default: false
                }
            }
    }
}
