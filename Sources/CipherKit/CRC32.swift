/// The cyclic redundancy check of IEEE 802.3, as in zip and PNG: finds typing mistakes, proves nothing.
public enum CRC32 {
    // The polynomial 0x04C11DB7 with its bits reversed, applied to each of the 256 bytes.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0xEDB8_8320 : rest >> 1 }
    }

    /// The checksum of some bytes; that of `123456789` is `CBF43926`.
    public static func checksum(_ bytes: some Collection<UInt8>) -> UInt32 {
        lend(bytes) { bytes in
            let table = table
            var rest = UInt32.max
            for index in bytes.indices {
                rest = table[Int(UInt8(truncatingIfNeeded: rest) ^ bytes[index])] ^ rest >> 8
            }
            return ~rest
        }
    }
}
