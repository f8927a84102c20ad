internal import COpenSSL

/// Unpredictable bytes and texts from OpenSSL's generator, which reseeds itself in a forked child.
///
/// A generator that fails ends the process: nothing made without randomness may leave it.
public enum Random {
    /// So many random bytes.
    ///
    /// - Parameter count: How many, from 0 to 2³¹ − 1.
    public static func bytes(_ count: Int) -> [UInt8] {
        precondition(count >= 0 && count <= Int(Int32.max), "a count of random bytes out of range")
        guard let bytes = unsafe written(count, by: { unsafe RAND_bytes($0, Int32(count)) == 1 }) else {
            fatalError("the random source failed")
        }
        return bytes
    }

    /// 256 random bits as 43 characters of base64url: for sessions, links and anything a browser brings back.
    public static func token() -> String {
        Base64URL.encode(bytes(32))
    }

    /// So many random characters of `0-9A-Za-z`, each equally likely.
    ///
    /// Six random bits give 64 values; the two that have no character are thrown away instead of folded in.
    public static func base62(_ count: Int) -> String {
        precondition(count >= 0, "a negative count of characters")
        var characters: [UInt8] = []
        characters.reserveCapacity(count)
        while characters.count < count {
            for byte in bytes((count - characters.count) * 9 / 8 + 8) where characters.count < count {
                let value = Int(byte & 63)
                if value < 62 { characters.append(Base62.alphabet[value]) }
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
