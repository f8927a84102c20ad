/// Which check a request did not pass.
///
/// For those who own the source; whoever sent the request learns of none of them.
enum Failure: Error, Equatable, Sendable {
    /// The source has no secret, so that nothing can be known.
    case noSecret
    /// The secret is none that this scheme can check with.
    case unusableSecret
    /// A header field is not there.
    case missing(String)
    /// A header field came more than once.
    case repeated(String)
    /// A header field is not what it should be.
    case malformed(String, String)
    /// The request is too old by its timestamp, by so many seconds.
    case late(Int64)
    /// The request is too far ahead by its timestamp, by so many seconds.
    case early(Int64)
    /// The body tells of nothing, or of something without the token that the service was told.
    case noClientState
    /// The body is not the one whose digest the address names.
    case otherBody
    /// The signature is another one.
    case wrongSignature
    /// The token is another one.
    case wrongToken

    /// A stable word.
    var code: String {
        switch self {
        case .noSecret: "no_secret"
        case .unusableSecret: "unusable_secret"
        case .missing: "header_missing"
        case .repeated: "header_repeated"
        case .malformed: "wrong_encoding"
        case .late: "timestamp_too_old"
        case .early: "timestamp_ahead"
        case .noClientState: "client_state_missing"
        case .otherBody: "wrong_body_digest"
        case .wrongSignature: "wrong_signature"
        case .wrongToken: "wrong_token"
        }
    }

    /// Every code there is.
    static let codes = [
        Failure.noSecret, .unusableSecret, .missing(""), .repeated(""), .malformed("", ""), .late(0), .early(0),
        .noClientState, .otherBody, .wrongSignature, .wrongToken,
    ].map(\.code)

    /// Which of the checks it is.
    var check: Check {
        switch self {
        case .noSecret, .unusableSecret: .secret
        case .missing, .repeated: .headers
        case .malformed: .encoding
        case .late, .early: .timestamp
        case .noClientState, .otherBody, .wrongSignature, .wrongToken: .signature
        }
    }

    /// What is wrong, without a word of any secret.
    var sentence: String {
        switch self {
        case .noSecret: "This source has no secret yet, so it refuses everything."
        case .unusableSecret: "The secret of this source is none that this kind of signature can be checked with."
        case .missing(let name): "The header \(name) is missing."
        case .repeated(let name): "The header \(name) came more than once."
        case .malformed(let name, let right): "The header \(name) is not \(right)."
        case .late(let seconds):
            "The timestamp is \(seconds) s old; at most \(Scheme.tolerance) s are allowed."
        case .early(let seconds):
            "The timestamp lies \(seconds) s ahead; at most \(Scheme.tolerance) s are allowed."
        case .noClientState: "The body holds no notifications, or one without clientState."
        case .otherBody: "The body is not the one whose SHA-256 stands in the address."
        case .wrongSignature: "The signature is not the one that the secret gives for this request."
        case .wrongToken: "The token is not the one that is kept here."
        }
    }

    /// The checks in the order in which they are made.
    enum Check: String, Sendable, CaseIterable {
        case secret
        case headers
        case encoding
        case timestamp
        case signature

        /// What it asks.
        var question: String {
            switch self {
            case .secret: "Is there a secret to check with?"
            case .headers: "Is each header there, once?"
            case .encoding: "Is each header written as it should be?"
            case .timestamp: "Is the timestamp within \(Scheme.tolerance) s of the clock?"
            case .signature: "Does the signature belong to this request?"
            }
        }
    }
}
