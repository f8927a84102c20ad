import Testing

@testable import SpoolKit
