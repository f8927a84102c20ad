internal import COpenSSL
public import LogKit

/// Passwords kept as scrypt hashes (RFC 7914) that carry their own parameters.
///
/// A hash reads `$scrypt$ln=17,r=8,p=1$salt$hash`, with 16 bytes of salt and 32 of hash in unpadded base64. A
/// password is taken as the bytes of its UTF-8, exactly as typed: not trimmed, not normalized, of any length. What a
/// form accepts is the form's business; it should refuse NUL, which the HMAC beneath scrypt cannot tell from nothing
/// at the end.
///
/// One check at the standard cost takes 128 MiB and about a third of a second: whoever calls from many lanes must let
/// in only a few at a time.
public enum Password {
    /// What one hash costs.
    public struct Parameters: Sendable, Hashable, LosslessStringConvertible {
        /// The binary logarithm of N, the number of blocks: memory is 128 · r · N bytes.
        public let logN: Int
        /// The size of a block, r.
        public let blockSize: Int
        /// How often the whole is repeated, p.
        public let parallelism: Int

        /// N = 2¹⁷, r = 8, p = 1: what OWASP and ASVS 5 (appendix C) ask for.
        public static let standard = Parameters(unchecked: 17, 8, 1)
        /// N = 2¹⁰: a millisecond, for tests that sign many people in.
        public static let cheap = Parameters(unchecked: 10, 8, 1)

        private init(unchecked logN: Int, _ blockSize: Int, _ parallelism: Int) {
            self.logN = logN
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// Parameters within bounds: at most 1 GiB of memory and sixteen times the work of the standard; else nil.
        public init?(logN: Int, blockSize: Int, parallelism: Int) {
            guard (1...20).contains(logN), (1...32).contains(blockSize), (1...16).contains(parallelism),
                logN < 16 * blockSize,  // RFC 7914 §2: N must be less than 2^(128 * r / 8)
                blockSize << logN <= 1 << 23, parallelism * blockSize << logN <= 1 << 24
            else { return nil }
            self.init(unchecked: logN, blockSize, parallelism)
        }

        /// Parameters written `ln=17,r=8,p=1`; nil when written otherwise or out of bounds.
        public init?(_ description: String) {
            let parts = description.split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 3, let logN = Self.number("ln=", parts[0]),
                let blockSize = Self.number("r=", parts[1]),
                let parallelism = Self.number("p=", parts[2])
            else { return nil }
            self.init(logN: logN, blockSize: blockSize, parallelism: parallelism)
        }

        private static func number(_ name: String, _ part: Substring) -> Int? {
            guard part.hasPrefix(name), let number = Int(part.dropFirst(name.count)), part == "\(name)\(number)"
            else { return nil }
            return number
        }

        /// As in a stored hash: `ln=17,r=8,p=1`.
        public var description: String { "ln=\(logN),r=\(blockSize),p=\(parallelism)" }
    }

    /// A new hash of a password, with a random salt.
    public static func hash(_ password: Secret<String>, parameters: Parameters = .standard) -> String {
        let salt = Random.bytes(saltSize)
        let hash = password.reveal { scrypt($0.utf8, salt: salt, parameters, count: hashSize) }
        return Stored(parameters: parameters, salt: salt, hash: hash).description
    }

    /// Answers whether a password is the one a stored hash was made of; no if the hash is malformed or out of bounds.
    public static func verify(_ password: Secret<String>, against stored: String) -> Bool {
        guard let stored = Stored(stored) else { return false }
        let hash = password.reveal { scrypt($0.utf8, salt: stored.salt, stored.parameters, count: stored.hash.count) }
        return equalInConstantTime(hash, stored.hash)
    }

    /// Answers whether a stored hash should be made anew at the next sign-in, because its cost is not this one.
    public static func needsRehash(_ stored: String, parameters: Parameters = .standard) -> Bool {
        guard let stored = Stored(stored) else { return true }
        return stored.parameters != parameters || stored.salt.count != saltSize || stored.hash.count != hashSize
    }

    /// A hash no password has, to verify against when there is no such user, so that the answer takes as long.
    public static func dummy(_ parameters: Parameters = .standard) -> String {
        let nothing = [UInt8](repeating: 0, count: hashSize)
        return Stored(parameters: parameters, salt: Array(nothing.prefix(saltSize)), hash: nothing).description
    }

    private static let saltSize = 16
    private static let hashSize = 32

    /// The parts of a stored hash.
    private struct Stored: LosslessStringConvertible {
        let parameters: Parameters
        let salt: [UInt8]
        let hash: [UInt8]

        init(parameters: Parameters, salt: [UInt8], hash: [UInt8]) {
            self.parameters = parameters
            self.salt = salt
            self.hash = hash
        }

        init?(_ description: String) {
            guard description.utf8.count <= 256 else { return nil }
            let parts = description.split(separator: "$", omittingEmptySubsequences: false)
            guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt",
                let parameters = Parameters(String(parts[2])),
                let salt = Base64.decode(unpadded: parts[3]), (8...64).contains(salt.count),
                let hash = Base64.decode(unpadded: parts[4]), (16...64).contains(hash.count)
            else { return nil }
            self.init(parameters: parameters, salt: salt, hash: hash)
        }

        var description: String {
            "$scrypt$\(parameters)$\(Base64.encode(unpadded: salt))$\(Base64.encode(unpadded: hash))"
        }
    }
}

/// The scrypt function itself (RFC 7914 §6).
///
/// OpenSSL's own limit of 32 MiB fails from N = 2¹⁵ on, so the memory these parameters take is allowed by name:
/// 128 · r bytes for each of N + p blocks, two more for the mixing, and something to spare.
func scrypt(
    _ password: some Collection<UInt8>, salt: [UInt8], _ parameters: Password.Parameters, count: Int
) -> [UInt8] {
    let blocks = UInt64(1) << UInt64(parameters.logN)
    let blockSize = UInt64(parameters.blockSize)
    let parallelism = UInt64(parameters.parallelism)
    let allowed = 128 * blockSize * (blocks + parallelism + 4) + 1 << 20
    let hash = lend(password) { password in
        unsafe written(count) { target in
            unsafe password.withAddress { address, length in
                // The password is bytes to OpenSSL's caller and characters in its prototype.
                unsafe address.withMemoryRebound(to: CChar.self, capacity: length) { characters in
                    unsafe EVP_PBE_scrypt(
                        characters, length, salt, salt.count, blocks, blockSize, parallelism, allowed, target, count)
                        == 1
                }
            }
        }
    }
    guard let hash else { fatalError("no memory for scrypt with \(parameters)") }
    return hash
}
