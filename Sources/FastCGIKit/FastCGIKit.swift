// FastCGIKit
