import Testing

@testable import ProcessKit

@Suite("Exit message")
struct ExitMessageTests {
    @Test(
        "A wait status is read as the C macros read it",
        arguments: [
            (0x0000, ExitMessage.served), (0x0300, .couldNotBoot), (0x0100, .failed(status: 1)),
            (0xFF00, .failed(status: 255)), (0x0009, .killed(signal: 9)), (0x0086, .killed(signal: 6)),
        ])
    func reading(status: Int, message: ExitMessage) {
        #expect(ExitMessage(waitStatus: Int32(status)) == message)
    }
}
