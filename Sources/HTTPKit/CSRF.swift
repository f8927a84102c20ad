/// Proof that a request which changes something was meant by the person whose browser sent it.
public enum CSRF {
    /// The name of the hidden field in every form.
    public static let fieldName = "csrf_token"
    /// The header in which a script sends the same token.
    public static let headerName = "x-csrf-token"

    /// Whether the browser says that another site made this request.
    ///
    /// `Sec-Fetch-Site` where the browser sends it, else `Origin` against the site's own; a request with neither comes
    /// from no browser, and its token alone decides.
    public static func isCrossSite(_ request: Request, origin: String) -> Bool {
        if let site = request.headers["sec-fetch-site"] { return site != "same-origin" && site != "none" }
        if let from = request.headers["origin"] { return from != origin }
        return false
    }
}

/// The number that a form which creates something carries, so that sent twice it creates once.
public enum FormNonce {
    /// The name of the hidden field.
    public static let fieldName = "form_nonce"
}
