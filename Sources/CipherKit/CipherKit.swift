// CipherKit
