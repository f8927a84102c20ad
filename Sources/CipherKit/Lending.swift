/// Lends a collection's bytes as one contiguous span: without a copy where the collection is already contiguous.
///
/// Arrays, slices of arrays and the UTF-8 views of native strings are; anything else is copied into an array first.
func lend<Result>(_ bytes: some Collection<UInt8>, to use: (Span<UInt8>) -> Result) -> Result {
    let answer = bytes.withContiguousStorageIfAvailable { unsafe use($0.span) }
    if let answer { return answer }
    return use(Array(bytes).span)
}

extension Span where Element == UInt8 {
    /// Lends the address of the first byte, never null, so that no library mistakes an empty input for a missing one.
    func withAddress<Result>(_ use: (UnsafePointer<UInt8>, Int) -> Result) -> Result {
        unsafe withUnsafeBufferPointer { buffer in
            if let address = buffer.baseAddress { return unsafe use(address, buffer.count) }
            var nothing: UInt8 = 0
            return unsafe withUnsafePointer(to: &nothing) { unsafe use($0, 0) }
        }
    }
}

/// An array of `count` bytes, all written by a closure; nil, and nothing readable, when the closure says it failed.
func written(_ count: Int, by write: (UnsafeMutablePointer<UInt8>) -> Bool) -> [UInt8]? {
    var succeeded = false
    // One byte more than asked for, so that there is an address to write to even when nothing is asked for.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count + 1) { buffer, initialized in
        guard let address = buffer.baseAddress, unsafe write(address) else { return }
        succeeded = true
        initialized = count
    }
    return succeeded ? bytes : nil
}
