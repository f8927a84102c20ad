// DatabaseKit
