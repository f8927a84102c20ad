import AdminShell
import Domain
import HTTPKit
import JSONKit

/// What clients need not be told by hand (RFC 8414, RFC 9728).
extension OAuthServer {
    /// The rights that can be asked for, those that a site has of its own excepted.
    private static let scopes: [JSON] = Resource.allCases.flatMap { resource -> [JSON] in
        [.string(Scope.read(resource).description), .string(Scope.write(resource).description)]
    }

    /// The metadata of the authorization server.
    ///
    /// > The "issuer" value returned MUST be identical to the authorization server's issuer identifier value into which the
    /// > well-known URI string was inserted to create the URL used to retrieve the metadata.     RFC 8414 §3.3
    func metadata() -> Response {
        func address(_ route: OAuthEndpointRoute) -> JSON { .string(site.url(route)) }
        let proofs: JSON = ["client_secret_basic", "client_secret_post"]
        var members: [JSON.Member] = [
            .init("issuer", .string(issuer)), .init("authorization_endpoint", address(.authorize)),
            .init("token_endpoint", address(.token)), .init("revocation_endpoint", address(.revoke)),
            .init("introspection_endpoint", address(.introspect)),
            .init("pushed_authorization_request_endpoint", address(.push)),
            .init("device_authorization_endpoint", address(.deviceAuthorization)),
            .init("scopes_supported", .array(Self.scopes)), .init("response_types_supported", ["code"]),
            .init("response_modes_supported", ["query"]),
            .init("grant_types_supported", .array(GrantType.allCases.map { .string($0.rawValue) })),
            .init("token_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post", "none"]),
            .init("revocation_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post", "none"]),
            .init("introspection_endpoint_auth_methods_supported", proofs),
            .init("code_challenge_methods_supported", ["S256"]),
            .init("authorization_response_iss_parameter_supported", true),
            .init("require_pushed_authorization_requests", false),
            .init("protected_resources", [.string(issuer)]),
        ]
        if let registrationAddress {
            members.append(.init("registration_endpoint", .string(registrationAddress)))
        }
        return Response.json(.object(members)).neverStored()
    }

    /// Where programs register themselves; nil when they may not.
    private var registrationAddress: String? { settings.allowsRegistration ? issuer + "/oauth/register" : nil }

    /// The metadata of the hub's own interface as a protected resource.
    func resourceMetadata() -> Response {
        Response.json([
            "resource": .string(issuer), "authorization_servers": [.string(issuer)],
            "scopes_supported": .array(Self.scopes), "bearer_methods_supported": ["header"],
            "resource_documentation": .string("\(issuer)/api/docs"),
        ]).neverStored()
    }

    /// Where ``resourceMetadata()`` stands for whoever knows the resource: the well-known step goes between host and path.
    ///
    /// > "/.well-known/oauth-protected-resource" … inserting … between the host component and the path and/or query
    /// > components, if any.     RFC 9728 §3.1
    public static func resourceMetadataAddress(of site: Site) -> String {
        "\(site.origin)/.well-known/oauth-protected-resource\(site.mount)"
    }
}
