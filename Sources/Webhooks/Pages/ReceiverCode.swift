/// The code of receivers: one file of `Receivers` for each language and each kind of signature.
///
/// What is signed is `{webhook-id}.{webhook-timestamp}.{body}`, byte for byte as it came; words of an owner's choosing sign
/// without the id. The files name the webhook and hold the public key, which is no secret; a secret is read from the
/// receiver's environment.
extension ReceiverLanguage {
    /// A function that checks one request; for curl, a request that passes the check.
    ///
    /// - Parameter webhook: the id of the webhook, which the code names so that one knows later where it belongs.
    func code(_ scheme: ReceiverScheme, webhook: String) -> String {
        var text = String(decoding: file(scheme), as: UTF8.self).replacing("{{webhook}}", with: webhook)
        if case .keyPair(let key) = scheme { text = text.replacing("{{public_key}}", with: key) }
        return text
    }

    private func file(_ scheme: ReceiverScheme) -> [UInt8] {
        switch (self, scheme) {
        case (.python, .shared): PackageResources.python_v1_txt
        case (.python, .keyPair): PackageResources.python_v1a_txt
        case (.python, .words): PackageResources.python_legacy_txt
        case (.javascript, .shared): PackageResources.javascript_v1_txt
        case (.javascript, .keyPair): PackageResources.javascript_v1a_txt
        case (.javascript, .words): PackageResources.javascript_legacy_txt
        case (.php, .shared): PackageResources.php_v1_txt
        case (.php, .keyPair): PackageResources.php_v1a_txt
        case (.php, .words): PackageResources.php_legacy_txt
        case (.go, .shared): PackageResources.go_v1_txt
        case (.go, .keyPair): PackageResources.go_v1a_txt
        case (.go, .words): PackageResources.go_legacy_txt
        case (.swift, .shared): PackageResources.swift_v1_txt
        case (.swift, .keyPair): PackageResources.swift_v1a_txt
        case (.swift, .words): PackageResources.swift_legacy_txt
        case (.curl, .words): PackageResources.curl_legacy_txt
        // Only the hub can sign with a key pair: its page offers a test instead.
        case (.curl, .shared), (.curl, .keyPair): PackageResources.curl_v1_txt
        }
    }
}
