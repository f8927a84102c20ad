/// Why an outbound call gave no answer.
///
/// Nothing of the request but the scheme and the host of its URL is in any text of an error: paths, headers and bodies
/// carry secrets. Three audiences, three texts: ``tenantSentence`` for whoever may choose destinations, ``sentence`` for
/// the operator, `debugDescription` for the log.
public struct ClientError: Error, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The decision an error asks for.
    public enum Code: String, Sendable {
        /// The URL is not one that can be called. Ask for another.
        case badURL
        /// A header's name or value is not allowed. Ask for another.
        case badHeader
        /// The address is not one that may be called. Give up.
        case refusedAddress
        /// The host has no address. Try again later, or ask for another.
        case unresolvable
        /// Nothing accepts connections there. Try again later.
        case unreachable
        /// There was no whole answer within the deadline. Try again later.
        case timedOut
        /// The connection cannot be made secure. A person must look.
        case tls
        /// The answer is larger than the limit. Give up.
        case tooLarge
        /// The answer is not one, or broke off. Try again later.
        case badResponse
        /// Whoever asked has gone away, or their request broke off. Give up.
        case abandoned
        /// The server refuses the user name or the password. Ask for others.
        case credentialsRefused
        /// The server takes no user name and password. Ask for another setting.
        case credentialsNotTaken
        /// Anything else.
        case other
    }

    /// The decision this error asks for.
    public let code: Code
    /// The scheme and host that were called, `https://api.telegram.org`; empty when the URL had none.
    public let target: String
    /// Whether the address that failed is one the operator opened, or a refused one: nobody else may learn how it failed.
    public let isConcealed: Bool
    /// Whether the request, or a part of it, had left when the call failed: then the server may have done what was asked.
    public let mayHaveArrived: Bool
    let detail: String

    init(
        _ code: Code, target: String = "", detail: String, isConcealed: Bool = false, mayHaveArrived: Bool = false
    ) {
        self.code = code
        self.target = target
        self.detail = detail
        self.isConcealed = isConcealed || code == .refusedAddress
        self.mayHaveArrived = mayHaveArrived
    }

    /// What tenants may be told of ``code``: every failure at an address that is not public is the same refusal.
    ///
    /// A refused address, a closed port and an open port that speaks something else look alike, so that the hub cannot
    /// be used to scan the network it stands in.
    public var tenantCode: Code { isConcealed ? .refusedAddress : code }

    /// A sentence for people who may choose destinations but may not learn what stands in the hub's network.
    public var tenantSentence: String { tenantCode.sentence }

    /// A sentence for the operator: what happened, in plain words.
    public var sentence: String { code.sentence }

    /// The code and the target.
    public var description: String {
        "outbound call to \(target.isEmpty ? "no host" : target) failed (\(code.rawValue))"
    }

    /// Everything known, for the log.
    public var debugDescription: String { "\(description): \(detail)" }

    /// Equal by code.
    public static func == (one: ClientError, other: ClientError) -> Bool { one.code == other.code }
}

extension ClientError.Code {
    fileprivate var sentence: String {
        switch self {
        case .badURL: "This URL cannot be called."
        case .badHeader: "A header has a name or a value that is not allowed."
        case .refusedAddress:
            "Destination not allowed: this hub may not call that address, or nothing usable answers there."
        case .unresolvable: "The host name was not found."
        case .unreachable: "The server did not accept the connection."
        case .timedOut: "The server did not answer in time."
        case .tls: "No secure connection could be made: the server's certificate or its encryption is not acceptable."
        case .tooLarge: "The server's answer was larger than allowed."
        case .badResponse: "The server's answer was not understandable, or it broke off."
        case .abandoned: "The call was given up: whoever asked for it went away."
        case .credentialsRefused: "The server refused the user name or the password."
        case .credentialsNotTaken: "The server does not offer to sign in with a user name and a password."
        case .other: "The call failed."
        }
    }
}
