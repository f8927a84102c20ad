/// What a new password must be: long, and not one of those that everybody tries.
///
/// No rule about kinds of characters, and no expiry; both make passwords worse.
///
/// > verifiers … SHALL require passwords to be a minimum of 15 characters     NIST SP 800-63B-4 §3.1.1.2
enum PasswordRules {
    /// The shortest password that people may choose, in characters.
    static let shortest = 15
    /// The shortest that is taken at the command line, where a person of trust chooses.
    static let shortestAtCommandLine = 8
    /// The longest, in characters.
    static let longest = 128

    /// What is wrong with a password, in words for the person who typed it; nil when nothing is.
    ///
    /// - Parameter context: words that a guesser would try first, such as the person's name and address.
    static func objection(to password: String, context: [String], shortest: Int = shortest) -> String? {
        if password.count < shortest {
            return "Use at least \(shortest) characters; several words in a row are easiest to remember."
        }
        if password.count > longest { return "Use at most \(longest) characters." }
        let plain = password.lowercased()
        if isRepetitive(plain) || isSequence(plain) {
            return "This follows a simple pattern. Choose something less regular."
        }
        let guessable = context.flatMap { $0.lowercased().split { !$0.isLetter && !$0.isNumber } }.map(String.init)
        var rest = plain.filter { $0.isLetter || $0.isNumber }
        for word in guessable.filter({ $0.count > 2 }) + common { rest = rest.replacing(word, with: "") }
        if rest.filter(\.isLetter).count < 4 && rest.count < 8 {
            return "This is made of words that are tried first. Choose something that only you would say."
        }
        return nil
    }

    private static func isRepetitive(_ text: String) -> Bool {
        let letters = Array(text)
        return (1...5).contains { unit in letters.indices.allSatisfy { letters[$0] == letters[$0 % unit] } }
    }

    private static func isSequence(_ text: String) -> Bool {
        let rows = [
            "01234567890123456789012345", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm",
            "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
        ]
        return rows.contains { row in
            let twice = row + row
            return twice.contains(text) || String(twice.reversed()).contains(text)
        }
    }

    /// Words and runs that lists of stolen passwords are full of.
    private static let common = [
        "password", "passwort", "passw0rd", "p@ssw0rd", "qwertyuiop", "qwerty", "qwertz", "azerty", "asdfghjkl",
        "zxcvbnm", "1234567890", "123456789", "12345678", "1234567", "123456", "12345", "1234", "654321", "111111",
        "000000", "letmein", "welcome", "iloveyou", "admin", "administrator", "monkey", "dragon", "master", "sunshine",
        "princess", "football", "baseball", "superman", "batman", "trustno1", "abc123", "login", "changeme", "secret",
        "integrations", "integration", "hub", "test", "demo", "default", "root", "user", "2024", "2025", "2026",
    ]
}
