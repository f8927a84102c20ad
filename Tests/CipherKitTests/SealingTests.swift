import CipherKit
import Foundation
import Testing
import ThreadKit

@Suite("AES-256-GCM and HKDF")
struct CipherTests {
    @Test("The cases of NIST's validation suite open, seal and fail as published", arguments: Vector.published)
    func published(_ vector: Vector) throws {
        let key = try #require(SymmetricKey(hex(vector.key)))
        let sealed = hex(vector.ciphertext + vector.tag)
        let associated = hex(vector.associated)
        let nonce = hex(vector.nonce)
        guard let plaintext = vector.plaintext else {
            #expect(throws: AES256GCM.Failure.self) {
                try AES256GCM.open(sealed, key: key, nonce: nonce, authenticating: associated)
            }
            return
        }
        #expect(try AES256GCM.open(sealed, key: key, nonce: nonce, authenticating: associated) == hex(plaintext))
        #expect(AES256GCM.seal(hex(plaintext), key: key, nonce: nonce, authenticating: associated) == sealed)
    }

    @Test("Another key, nonce or associated data, and a text too short for a tag, fail alike")
    func indistinguishable() {
        let key = SymmetricKey()
        let nonce = Random.bytes(12)
        let sealed = AES256GCM.seal("text".utf8, key: key, nonce: nonce, authenticating: "here".utf8)
        let attempts: [(SymmetricKey, [UInt8], [UInt8], String)] = [
            (SymmetricKey(), nonce, sealed, "here"), (key, Random.bytes(12), sealed, "here"),
            (key, nonce, sealed, "there"), (key, nonce, sealed, ""), (key, nonce, Array(sealed.prefix(15)), "here"),
            (key, nonce, [], "here"), (key, Random.bytes(11), sealed, "here"), (key, [], sealed, "here"),
        ]
        for (key, nonce, sealed, associated) in attempts {
            #expect(throws: AES256GCM.Failure.self) {
                try AES256GCM.open(sealed, key: key, nonce: nonce, authenticating: associated.utf8)
            }
        }
    }

    @Test("HKDF-SHA-256 answers the cases of RFC 5869, appendix A")
    func derivation() {
        let long = HKDF.sha256(
            key: Array(0x00...0x4f), salt: Array(0x60...0xaf), info: Array(0xb0...0xff), count: 82)
        #expect(
            HKDF.sha256(
                key: [UInt8](repeating: 0x0b, count: 22), salt: Array(0x00...0x0c), info: Array(0xf0...0xf9), count: 42)
                == hex(
                    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
        #expect(
            long
                == hex(
                    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                        + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"))
        #expect(
            HKDF.sha256(key: [UInt8](repeating: 0x0b, count: 22), salt: [], info: [], count: 42)
                == hex(
                    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
    }

    @Test("A key derived without passing through an array is the same key")
    func derivedKey() throws {
        let bytes = Random.bytes(32)
        let key = try #require(SymmetricKey(bytes))
        let derived = HKDF.sha256(key: key, info: "use".utf8)
        let expected = HKDF.sha256(key: bytes, salt: [], info: "use".utf8, count: 32)
        #expect(derived.bytes == expected)
    }

    @Test("A key is 32 bytes, and says nothing when printed, dumped or interpolated")
    func silence() throws {
        #expect(SymmetricKey([1, 2, 3]) == nil)
        let key = try #require(SymmetricKey([UInt8](repeating: 0x41, count: 32)))
        var dumped = ""
        dump(DataKey(number: 1, key: key), to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(text.contains("<key>"))
            #expect(!text.contains("65") && !text.contains("AAAA"))
        }
    }
}

extension SymmetricKey {
    /// One byte, for comparing in tests.
    func byte(_ index: Int) -> UInt8 { withBytes { $0[index] } }

    /// All bytes, for comparing in tests.
    var bytes: [UInt8] { (0..<SymmetricKey.size).map(byte) }
}

@Suite("Sealed records")
struct SealedRecordTests {
    let key = DataKey(number: 7)
    let place = SealedPlace(
        organization: Random.bytes(16), table: "connections", row: Random.bytes(16), column: "access_token")

    @Test("What was sealed opens in its place, from nothing to a megabyte", arguments: [0, 1, 15, 16, 17, 1_000_000])
    func opens(_ count: Int) throws {
        let plaintext = Random.bytes(count)
        let record = SealedRecord.seal(plaintext, with: key, place: place)
        #expect(record.count == count + SealedRecord.overhead)
        #expect(try SealedRecord.keyNumber(of: record) == 7)
        #expect(try SealedRecord.open(record, with: key, place: place) == plaintext)
    }

    @Test("A record begins with its version and its key's number, big-endian, and never repeats")
    func layout() {
        let record = SealedRecord.seal([], with: DataKey(number: 0x0102_0304), place: place)
        #expect(record.count == 33)
        #expect(record.prefix(5) == [1, 1, 2, 3, 4])
        #expect(SealedRecord.seal([1], with: key, place: place) != SealedRecord.seal([1], with: key, place: place))
    }

    @Test("One flipped bit anywhere in a record is refused")
    func flipped() {
        let record = SealedRecord.seal(Array("a secret".utf8), with: key, place: place)
        for index in record.indices {
            for bit in 0..<8 {
                var altered = record
                altered[index] ^= 1 << bit
                let expected: SealError =
                    switch index {
                    case 0: .malformed
                    case 1..<5: .unknownKey(7 ^ UInt32(1 << bit) << UInt32(8 * (4 - index)))
                    default: .damaged
                    }
                #expect(throws: expected) { try SealedRecord.open(altered, with: key, place: place) }
            }
        }
    }

    @Test("A record cut short or grown longer is refused at every length")
    func lengths() {
        let record = SealedRecord.seal(Array("a secret".utf8), with: key, place: place)
        for count in record.indices {
            #expect(throws: SealError.self) {
                try SealedRecord.open(Array(record.prefix(count)), with: key, place: place)
            }
        }
        #expect(throws: SealError.damaged) { try SealedRecord.open(record + [0], with: key, place: place) }
        #expect(throws: SealError.malformed) { try SealedRecord.open([], with: key, place: place) }
    }

    @Test("A record moved to another organization, table, row or column is refused, and so are parts that run together")
    func moved() {
        let record = SealedRecord.seal(Array("a secret".utf8), with: key, place: place)
        let (organization, row) = (place.organization, place.row)
        let places = [
            SealedPlace(organization: row, table: "connections", row: row, column: "access_token"),
            SealedPlace(organization: organization, table: "webhooks", row: row, column: "access_token"),
            SealedPlace(organization: organization, table: "connections", row: organization, column: "access_token"),
            SealedPlace(organization: organization, table: "connections", row: row, column: "refresh_token"),
            SealedPlace(organization: row, table: "connections", row: organization, column: "access_token"),
            SealedPlace(
                organization: organization, table: "connection", row: Array("s".utf8) + row, column: "access_token"),
            SealedPlace(
                organization: organization, table: "connections", row: row + Array("a".utf8), column: "ccess_token"),
        ]
        for other in places {
            #expect(throws: SealError.damaged) { try SealedRecord.open(record, with: key, place: other) }
        }
    }

    @Test("Another key is named when its number differs, and is indistinguishable from damage when it does not")
    func otherKey() {
        let record = SealedRecord.seal([1], with: key, place: place)
        #expect(throws: SealError.unknownKey(7)) {
            try SealedRecord.open(record, with: DataKey(number: 8, key: key.key), place: place)
        }
        #expect(throws: SealError.damaged) { try SealedRecord.open(record, with: DataKey(number: 7), place: place) }
    }

    @Test("Sixteen threads sealing at once under one key never choose a nonce twice, and all their records open")
    func lanes() {
        let (key, place) = (key, place)
        let records = Lock<[[UInt8]]>([])
        let finished = DispatchSemaphore(value: 0)
        for lane in UInt8(0)..<16 {
            Thread.detachNewThread {
                let made = (0..<2_000).map { _ in SealedRecord.seal([lane], with: key, place: place) }
                records.withLock { $0 += made }
                finished.signal()
            }
        }
        for _ in 0..<16 { finished.wait() }
        let made = records.withLock { $0 }
        #expect(Set(made.map { $0[5..<17] }).count == 32_000)
        let opened = made.compactMap { try? SealedRecord.open($0, with: key, place: place) }
        #expect(opened.count == 32_000)
        #expect(Set(opened).count == 16)
    }

    @Test("Bytes of chance are never a record, whatever they begin with")
    func noise() {
        for count in 0..<200 {
            var noise = Random.bytes(count)
            if count > 0 { noise[0] = 1 }
            #expect(throws: SealError.self) { try SealedRecord.open(noise, with: key, place: place) }
        }
    }
}
