import CipherKit
import LogKit

/// Makes and checks password hashes, a few at a time on this host, since each takes 128 MiB for a third of a second.
public struct Passwords: Sendable {
    private let parameters: Password.Parameters
    private let limited: @Sendable (() throws -> Void) throws -> Void

    /// Hashes with these parameters, each inside `limited`, which throws when too many are at it already.
    public init(parameters: Password.Parameters, limited: @escaping @Sendable (() throws -> Void) throws -> Void) {
        self.parameters = parameters
        self.limited = limited
    }

    /// The text to store for a password.
    func hash(_ password: Secret<String>) throws -> String {
        var hash = ""
        try limited { hash = Password.hash(password, parameters: parameters) }
        return hash
    }

    /// Whether a password is the one behind a hash; without a hash it takes as long and says no.
    func verify(_ password: Secret<String>, against hash: String?) throws -> Bool {
        var isRight = false
        try limited {
            if let hash {
                isRight = Password.verify(password, against: hash)
            } else {
                _ = Password.verify(password, against: Password.dummy(parameters))
            }
        }
        return isRight
    }

    /// Whether a hash was made with other parameters than today's.
    func needsRehash(_ hash: String) -> Bool {
        Password.needsRehash(hash, parameters: parameters)
    }
}
