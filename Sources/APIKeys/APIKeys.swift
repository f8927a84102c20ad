// APIKeys
