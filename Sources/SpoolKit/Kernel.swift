import Glibc

/// What the kernel calls an error.
func kernelWords(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }
