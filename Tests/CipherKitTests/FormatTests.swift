import Testing

@testable import CipherKit

/// What is stored must stay readable: these bytes were made by Python's `cryptography` from the formats' descriptions.
@Suite("Stored formats")
struct FormatTests {
    let bytes = Array(UInt8(0)..<32)
    let organization = [UInt8](repeating: 0x11, count: 16)

    @Test("A record of version 1 made elsewhere opens")
    func sealedRecord() throws {
        let key = DataKey(number: 9, key: try #require(SymmetricKey(bytes)))
        let place = SealedPlace(
            organization: organization, table: "connections", row: [UInt8](repeating: 0x22, count: 16),
            column: "access_token")
        let record = hex(
            "0100000009404142434445464748494a4b8399dd46454ee27785cba43a2e0f03b356249b87f73b09cd")
        #expect(try SealedRecord.open(record, with: key, place: place) == Array("a secret".utf8))
    }

    @Test("A data key wrapped elsewhere is unwrapped by a ring of the documented notation")
    func wrappedKey() throws {
        let text = "# the keys\n00c0ffee primary ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n"
        let ring = try KeyRing(parsing: Array(text.utf8), path: "")
        let wrapped = hex(
            "0100c0ffee404142434445464748494a4bb7b80cf402185db3985bc5455fb3a93b479de890fc6a62211e7fc1"
                + "2db788e856a5d9d8e48a47e01189554672bd1b4503")
        #expect(try ring.unwrap(wrapped, number: 9, context: organization).key.bytes == bytes)
    }
}
