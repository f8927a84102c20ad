"""Each MUST that concerns a server of the RFCs built upon RFC 6749: 6750 (bearer tokens), 7009 (revocation), 7636 (PKCE),
7662 (introspection), 8414 (metadata), 9207 (issuer), 9728 (protected resources), and of 8628, 8707 and 9126 what the hub has
of them. What concerns clients, registries or TLS is left out, as are signed metadata and JWTs, which the hub has not."""

import re
import urllib.parse

import pytest
import requests

from ecosystem import (
    CHALLENGE, NO, SETTINGS, VERIFIER, YES, Server, furnish, parameters, refused, s256, visit)

# RFC 6750 §3.
CHALLENGE_PARTS = re.compile(r'([a-zA-Z_-]+)="([^"\\]*)"')


@pytest.fixture(scope="module")
def server(database_template, tmp_path_factory):
    house, made = furnish(tmp_path_factory.mktemp("extensions") / "house", workers=2)
    yield made
    house.stop()


@pytest.fixture(scope="module")
def app(server):
    return server.register()


@pytest.fixture(scope="module")
def public(server):
    return server.register(confidential=False)


@pytest.fixture(scope="module")
def other(server):
    return server.register()


def challenge(answer):
    """The parts of a challenge; fails when it is no Bearer challenge or says something twice."""
    header = answer.headers["WWW-Authenticate"]
    scheme, _, rest = header.partition(" ")
    assert scheme == "Bearer", header
    parts = CHALLENGE_PARTS.findall(rest)
    assert parts and len(dict(parts)) == len(parts), header
    assert ", ".join(f'{name}="{value}"' for name, value in parts) == rest, header
    return dict(parts)


# --- RFC 6750


def test_6750_2_one_method_in_each_request(server, app):
    """> Clients MUST NOT use more than one method to transmit the token in each request. RFC 6750 §2"""
    token = app.tokens()["access_token"]
    for options in ({"params": {"access_token": token}}, {"headers": {"X-API-Key": token}}):
        answer = server.ask(token, **options)
        assert answer.status_code == 400 and "connections" not in answer.text
    both = server.ask(token, "/connections", "POST", data={"access_token": token})
    assert both.status_code in (400, 403, 415)


def test_6750_2_1_the_authorization_header_is_supported(server, app):
    """> Resource servers MUST support this method. RFC 6750 §2.1"""
    token = app.tokens()["access_token"]
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = requests.get(
            server.house.url("/api/v1/connections"), headers={"Authorization": f"{scheme} {token}"}, timeout=30)
        assert answer.status_code == 200, "schemes are read without regard to case: RFC 9110 §11.1"


def test_6750_2_2_no_token_in_the_body_of_a_get(server, app):
    """> In particular, this means that the "GET" method MUST NOT be used. RFC 6750 §2.2"""
    token = app.tokens()["access_token"]
    answer = requests.get(server.house.url("/api/v1/connections"), data={"access_token": token}, timeout=30)
    assert answer.status_code == 401


def test_6750_3_every_refusal_has_a_challenge(server, app):
    """> If the protected resource request does not include authentication credentials or does not contain an access token that
    > enables access to the protected resource, the resource server MUST include the HTTP "WWW-Authenticate" response header
    > field […] All challenges defined by this specification MUST use the auth-scheme value "Bearer". This scheme MUST be
    > followed by one or more auth-param values. RFC 6750 §3"""
    nobody = requests.get(server.house.url("/api/v1/connections"), timeout=30)
    assert nobody.status_code == 401 and "error" not in challenge(nobody), "§3.1: no error code without credentials"
    wrong = server.ask("nonsense")
    assert wrong.status_code == 401 and challenge(wrong)["error"] == "invalid_token"
    token = app.tokens(scope="connections:read")["access_token"]
    narrow = server.ask(token, "/audit-log")
    assert narrow.status_code == 403
    told = challenge(narrow)
    assert told["error"] == "insufficient_scope" and told["scope"] == "audit:read"


def test_6750_3_nothing_is_said_twice_and_in_its_characters(server, app):
    """> The "realm" attribute MUST NOT appear more than once. […] The "scope" attribute MUST NOT appear more than once. […] The
    > "error", "error_description", and "error_uri" attributes MUST NOT appear more than once. Values for the "scope" attribute
    > MUST NOT include characters outside the set %x21 / %x23-5B / %x5D-7E […] Values for the "error" and "error_description"
    > attributes MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E. RFC 6750 §3"""
    token = app.tokens(scope="connections:read")["access_token"]
    for answer in (requests.get(server.house.url("/api/v1/connections"), timeout=30),
                   server.ask("é\"\\".encode().decode("latin-1")), server.ask(token, "/audit-log")):
        for name, value in challenge(answer).items():
            assert re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]*", value), (name, value)


def test_6750_3_1_the_errors_have_their_statuses(server, app):
    """> invalid_request […] SHOULD respond with the HTTP 400 (Bad Request) status code. invalid_token […] 401 (Unauthorized)
    > […] insufficient_scope […] 403 (Forbidden) RFC 6750 §3.1"""
    got = app.tokens(scope="connections:read")
    assert server.ask(got["access_token"], headers={"X-API-Key": got["access_token"]}).status_code == 400
    assert app.revokes(got["access_token"]).status_code == 200
    ended = server.ask(got["access_token"])
    assert ended.status_code == 401 and challenge(ended)["error"] == "invalid_token"


def test_6750_5_2_the_life_of_a_token_is_limited(app):
    """> the lifetime of the token MUST be limited […] Such references MUST be infeasible for an attacker to guess.
    > RFC 6750 §5.2"""
    assert 0 < app.tokens()["expires_in"] <= 3600
    assert 0 < app.for_itself().json()["expires_in"] <= 3600


def test_6750_5_3_no_token_in_a_cookie(server, app):
    """> Implementations MUST NOT store bearer tokens within cookies that can be sent in the clear. RFC 6750 §5.3"""
    got = app.tokens()
    assert not any(token in cookie.value for cookie in server.person.session.cookies for token in
                   (got["access_token"], got["refresh_token"]))
    assert "Set-Cookie" not in server.ask(got["access_token"]).headers
    assert "Set-Cookie" not in app.for_itself().headers


# --- RFC 7009


def test_7009_2_refresh_and_access_tokens_can_be_revoked(server, app):
    """> Implementations MUST support the revocation of refresh tokens and SHOULD support the revocation of access tokens.
    > RFC 7009 §2"""
    got = app.tokens()
    assert app.revokes(got["refresh_token"]).status_code == 200
    refused(app.refresh(got["refresh_token"]), "invalid_grant")
    assert server.ask(got["access_token"]).status_code == 401, "§2.1: access tokens of the same grant end too"
    got = app.tokens()
    assert app.revokes(got["access_token"]).status_code == 200
    assert server.ask(got["access_token"]).status_code == 401


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "unheard_of", "", None])
def test_7009_2_1_a_wrong_hint_hides_nothing(server, app, hint):
    """> If the server is unable to locate the token using the given hint, it MUST extend its search across all of its supported
    > token types. RFC 7009 §2.1"""
    for kind in ("refresh_token", "access_token"):
        got = app.tokens()
        assert app.revokes(got[kind], token_type_hint=hint).status_code == 200
        assert server.ask(got["access_token"]).status_code == 401


def test_7009_2_1_the_client_is_known_and_the_token_is_its_own(server, app, other, public):
    """> The authorization server first validates the client credentials (in case of a confidential client) and then verifies
    > whether the token was issued to the client making the revocation request. If this validation fails, the request is refused
    > RFC 7009 §2.1"""
    got = app.tokens()
    refused(app.post("revocation", {"token": got["access_token"]}, auth=(app.client_id, "wrong")), "invalid_client", 401)
    refused(app.post("revocation", {"token": got["access_token"]}, auth="none"), "invalid_client", 401)
    for stranger in (other, public):
        answer = stranger.revokes(got["access_token"])
        assert answer.status_code in (200, 400), answer.text
        assert stranger.revokes(got["refresh_token"]).status_code in (200, 400)
        assert server.ask(got["access_token"]).status_code == 200, "another's word ends nothing"
    assert app.refresh(got["refresh_token"]).status_code == 200
    hers = public.tokens()
    assert public.revokes(hers["refresh_token"]).status_code == 200
    assert server.ask(hers["access_token"]).status_code == 401


def test_7009_2_2_an_unknown_token_is_revoked_already(app):
    """> Note: invalid tokens do not cause an error response since the client cannot handle such an error in a reasonable way.
    > RFC 7009 §2.2"""
    token = app.tokens()["access_token"]
    for one in ("nonsense", "x" * 3000, "é", token, token):
        assert app.revokes(one).status_code == 200
    refused(app.post("revocation", {"token_type_hint": "access_token"}), "invalid_request")
    refused(app.post("revocation", {"token": "", "token_type_hint": "access_token"}), "invalid_request")


def test_7009_2_2_a_revocation_counts_at_once_everywhere(make_house):
    """> the authorization server invalidates the token. The invalidation takes place immediately, and the token cannot be used
    > again after the revocation. RFC 7009 §2.1"""
    server = Server(make_house(settings={**SETTINGS, "HUB_KEEPALIVE": 4}, workers=4))
    app = server.register()
    for _ in range(20):
        token = app.for_itself().json()["access_token"]
        # Every worker has met it.
        assert {server.ask(token).status_code for _ in range(12)} == {200}
        assert app.introspects(token)["active"]
        assert app.revokes(token).status_code == 200
        assert {server.ask(token).status_code for _ in range(12)} == {401}
        assert app.introspects(token) == {"active": False}


def test_7009_5_wrong_hints_cost_nothing_much(app):
    """> Care MUST be taken to prevent malicious clients from exploiting this feature to launch denial-of-service attacks.
    > RFC 7009 §5"""
    for hint in ("x" * 5000, "access_token refresh_token"):
        assert app.revokes("nonsense", token_type_hint=hint).status_code in (200, 400)


# --- RFC 7636


def test_7636_4_2_s256_is_supported(server, app):
    """> "S256" is Mandatory To Implement (MTI) on the server. RFC 7636 §4.2"""
    assert s256(VERIFIER) == CHALLENGE, "appendix B"
    assert app.redeem(app.code()).status_code == 200
    assert "S256" in server.metadata["code_challenge_methods_supported"]
    for length in (43, 128):
        verifier = ("aZ09-._~" * 20)[:length]
        assert app.redeem(app.code(code_challenge=s256(verifier)), code_verifier=verifier).status_code == 200


def test_7636_4_4_the_challenge_belongs_to_the_code(app):
    """> When the server issues the authorization code in the authorization response, it MUST associate the "code_challenge" and
    > "code_challenge_method" values with the authorization code so it can be verified later. RFC 7636 §4.4"""
    one, two = "1" * 43, "2" * 43
    first, second = app.code(code_challenge=s256(one)), app.code(code_challenge=s256(two))
    refused(app.redeem(first, code_verifier=two), "invalid_grant")
    refused(app.redeem(second, code_verifier=one), "invalid_grant")


def test_7636_4_4_the_challenge_cannot_be_read_from_the_answer(app):
    """> The server MUST NOT include the "code_challenge" value in client requests in a form that other entities can extract.
    > RFC 7636 §4.4"""
    left = app.allowed().left
    assert CHALLENGE not in left and VERIFIER not in left and "code_challenge" not in left


def test_7636_4_4_1_without_a_challenge_the_request_is_invalid(app, public):
    """> If the server requires Proof Key for Code Exchange (PKCE) by OAuth public clients and the client does not send the
    > "code_challenge" in the request, the authorization endpoint MUST return the authorization error response with the "error"
    > value set to "invalid_request". RFC 7636 §4.4.1"""
    for one in (app, public):
        outcome = one.asks(code_challenge=None, code_challenge_method=None).outcome
        assert outcome["error"] == "invalid_request" and "code_challenge" in outcome["error_description"]


def test_7636_4_4_1_another_transformation_is_refused(app):
    """> If the server supporting PKCE does not support the requested transformation, the authorization endpoint MUST return the
    > authorization error response with "error" value set to "invalid_request". RFC 7636 §4.4.1"""
    for method in ("plain", "S384", "s256", None):
        assert app.asks(code_challenge_method=method).outcome["error"] == "invalid_request", method


def test_7636_4_6_an_equal_verifier_goes_on_and_another_does_not(app):
    """> If the values are equal, the token endpoint MUST continue processing as normal (as defined by OAuth 2.0 [RFC6749]). If
    > the values are not equal, an error response indicating "invalid_grant" as described in Section 5.2 of [RFC6749] MUST be
    > returned. RFC 7636 §4.6"""
    assert app.redeem(app.code()).status_code == 200
    refused(app.redeem(app.code(), code_verifier="x" * 43), "invalid_grant")


# --- RFC 7662


def test_7662_2_1_the_caller_is_known(app, public):
    """> To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this endpoint
    > RFC 7662 §2.1"""
    token = app.tokens()["access_token"]
    refused(app.post("introspection", {"token": token}, auth=None), "invalid_client", 401)
    refused(app.post("introspection", {"token": token}, auth="none"), "invalid_client", 401)
    answer = app.post("introspection", {"token": token}, auth=(app.client_id, "wrong"))
    refused(answer, "invalid_client", 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    # Whoever knows a public client_id is nobody.
    assert public.post("introspection", {"token": token}).json().get("active") is not True


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "unheard_of", ""])
def test_7662_2_1_a_wrong_hint_hides_nothing(app, hint):
    """> If the server is unable to locate the token using the given hint, it MUST extend its search across all of its supported
    > token types. RFC 7662 §2.1"""
    got = app.tokens()
    assert app.introspects(got["access_token"], token_type_hint=hint)["active"] is True
    assert app.introspects(got["refresh_token"], token_type_hint=hint)["active"] is True


def test_7662_2_2_what_an_answer_says(server, app):
    """> active REQUIRED. Boolean indicator of whether or not the presented token is currently active. RFC 7662 §2.2"""
    got = app.tokens(scope="connections:read")
    told = app.introspects(got["access_token"])
    assert told["active"] is True and told["client_id"] == app.client_id and told["scope"] == "connections:read"
    assert told["iss"] == server.metadata["issuer"] and told["token_type"].lower() == "bearer" and told["sub"]
    assert isinstance(told["exp"], int) and isinstance(told["iat"], int) and 3590 <= told["exp"] - told["iat"] <= 3600
    assert "aud" in told
    itself = app.introspects(app.for_itself().json()["access_token"])
    assert itself["sub"] == app.client_id != told["sub"], "what an app does for itself no person did"


def test_7662_2_2_an_inactive_token_says_nothing_more(server, app, other):
    """> If the introspection call is properly authorized but the token is not active, does not exist on this server, or the
    > protected resource is not allowed to introspect this particular token, then the authorization server MUST return an
    > introspection response with the "active" field set to "false". […] the authorization server SHOULD NOT include any
    > additional information about an inactive token, including why the token is inactive. RFC 7662 §2.2"""
    got = app.tokens()
    for token in ("nonsense", "é", "x" * 3000, app.secret, got["access_token"] + "x"):
        answer = app.post("introspection", {"token": token})
        assert (answer.status_code, answer.json()) == (200, {"active": False})
    assert other.introspects(got["access_token"]) == {"active": False}, "another's token"
    app.revokes(got["refresh_token"])
    assert app.introspects(got["access_token"]) == {"active": False}
    assert app.introspects(got["refresh_token"]) == {"active": False}


def test_7662_4_every_applicable_check_is_made(server, app):
    """> If the token can expire, the authorization server MUST determine whether or not the token has expired. […] If the token
    > can be revoked after it was issued, the authorization server MUST determine whether or not such a revocation has taken
    > place. RFC 7662 §4"""
    token = app.for_itself().json()["access_token"]
    # Not yet met by any worker, so that it is read from the table.
    server.house.sql("UPDATE oauth_access_tokens SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    assert app.introspects(token) == {"active": False} and server.ask(token).status_code == 401
    refreshed = app.tokens()
    second = app.refresh(refreshed["refresh_token"]).json()
    assert app.introspects(refreshed["refresh_token"])["active"] is False, "a rotated one has done its work"
    assert app.introspects(second["refresh_token"])["active"] is True
    gone = server.register()
    left = gone.tokens()["access_token"]
    assert gone.introspects(left)["active"] is True
    server.api.post(f"/oauth-apps/{gone.id}/disable")
    assert server.ask(left).status_code == 401


def test_7662_4_answers_are_not_kept(app):
    """> designers of an OAuth 2.0 system using this protocol MUST consider the performance and security trade-offs inherent in
    > caching security information such as this. RFC 7662 §4"""
    answer = app.post("introspection", {"token": app.tokens()["access_token"]})
    assert "no-store" in answer.headers["Cache-Control"]


# --- RFC 8414


def well_known(house, name="oauth-authorization-server"):
    return requests.get(f"{house.origin}/.well-known/{name}{house.mount}", timeout=30, allow_redirects=False)


def test_8414_2_what_is_required_is_there(server):
    """> issuer REQUIRED. […] token_endpoint […] This is REQUIRED unless only the implicit grant type is supported. […]
    > response_types_supported REQUIRED. RFC 8414 §2"""
    metadata = server.metadata
    assert metadata["issuer"] == server.house.url("") and metadata["response_types_supported"] == ["code"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert {"authorization_code", "refresh_token", "client_credentials"} <= set(metadata["grant_types_supported"])
    assert set(metadata["token_endpoint_auth_methods_supported"]) == {"client_secret_basic", "client_secret_post", "none"}
    for name in ("authorization", "token", "revocation", "introspection", "pushed_authorization_request",
                 "device_authorization"):
        assert server.endpoint(name).startswith(metadata["issuer"] + "/oauth/"), name


def test_8414_2_every_endpoint_that_is_told_of_answers(server, app):
    """> The response is a set of claims about the authorization server's configuration, including all necessary endpoints.
    > RFC 8414 §3.2"""
    for name, url in server.metadata.items():
        if name.endswith("_endpoint"):
            method = "GET" if name == "authorization_endpoint" else "POST"
            answer = requests.request(method, url, data={"client_id": app.client_id, "client_secret": app.secret}, timeout=30,
                                      allow_redirects=False)
            assert answer.status_code not in (404, 405, 500), (name, answer.status_code)
    assert "registration_endpoint" not in server.metadata, "it is off"


@pytest.mark.parametrize("mount", ["", "/x", "/a/b"], ids=["root", "x", "a-b"])
def test_8414_3_the_document_stands_at_the_inserted_path(make_house, mount):
    """> Authorization servers supporting metadata MUST make a JSON document containing metadata as specified in Section 2
    > available at a path formed by inserting a well-known URI string into the authorization server's issuer identifier between
    > the host component and the path component, if any. RFC 8414 §3

    > If the issuer identifier value contains a path component, any terminating "/" MUST be removed before inserting
    > "/.well-known/" and the well-known URI suffix. RFC 8414 §3.1

    > The "issuer" value returned MUST be identical to the authorization server's issuer identifier value into which the
    > well-known URI string was inserted to create the URL used to retrieve the metadata. RFC 8414 §3.3"""
    house = make_house(mount=mount)
    answer = well_known(house)
    assert answer.status_code == 200, answer.text
    issuer = answer.json()["issuer"]
    assert issuer == house.origin + mount
    for name, url in answer.json().items():
        if name.endswith("_endpoint"):
            assert url.startswith(issuer + "/"), name
    appended = requests.get(house.url("/.well-known/oauth-authorization-server"), timeout=30)
    assert appended.status_code == 200 and appended.json() == answer.json(), "also where simpler clients look"
    if mount:
        for wrong in ("", "/other", mount + "/more"):
            elsewhere = requests.get(f"{house.origin}/.well-known/oauth-authorization-server{wrong}", timeout=30)
            assert elsewhere.status_code == 404, "what is another issuer's is not ours"
    # A whole code flow by what the document says.
    server = Server(house)
    app = server.register()
    got = app.tokens()
    assert server.ask(got["access_token"]).status_code == 200
    assert app.allowed().outcome["iss"] == issuer


def test_8414_3_1_it_is_asked_for_with_get(server):
    """> An authorization server metadata document MUST be queried using an HTTP "GET" request at the previously specified path.
    > RFC 8414 §3.1"""
    url = server.house.url("/.well-known/oauth-authorization-server")
    assert requests.post(url, timeout=30).status_code == 405
    assert requests.head(url, timeout=30).status_code == 200


def test_8414_3_2_it_is_json_with_nothing_empty(server):
    """> A successful response MUST use the 200 OK HTTP status code and return a JSON object using the "application/json" content
    > type […] Claims with zero elements MUST be omitted from the response. RFC 8414 §3.2"""
    answer = well_known(server.house)
    assert answer.status_code == 200 and answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert isinstance(answer.json(), dict)
    assert not [name for name, value in answer.json().items() if value in ([], {}, "", None)]


# --- RFC 9207


def test_9207_2_every_authorization_response_names_the_issuer(server, app):
    """> In authorization responses to the client, including error responses, an authorization server supporting this
    > specification MUST indicate its identity by including the iss parameter in the response. RFC 9207 §2

    > The issuer identifier included in the server's metadata value issuer MUST be identical to the iss parameter's value.
    > RFC 9207 §2.3"""
    issuer = server.metadata["issuer"]
    for seen in (app.allowed(), app.asks(prompt="consent").press(NO), app.asks(scope="no:such"),
                 app.asks(response_type="token"), app.asks(code_challenge=None), app.asks(resource="relative"),
                 visit(server.person, app.url() + "&state=other")):
        assert seen.outcome["iss"] == issuer, seen.left
    pushed = app.post("pushed_authorization_request", parameters(app.url())).json()["request_uri"]
    assert visit(server.person, server.endpoint("authorization") + "?" + urllib.parse.urlencode(
        {"client_id": app.client_id, "request_uri": pushed})).outcome["iss"] == issuer


def test_9207_2_3_support_is_declared(server):
    """> The server MUST indicate its support for the iss parameter by setting the metadata parameter
    > authorization_response_iss_parameter_supported, defined in Section 3, to true. RFC 9207 §2.3"""
    assert server.metadata["authorization_response_iss_parameter_supported"] is True


def test_9207_2_the_issuer_is_a_bare_address(server):
    """> Its value MUST be a URL that uses the "https" scheme without any query or fragment components. RFC 9207 §2"""
    issuer = urllib.parse.urlsplit(server.metadata["issuer"])
    # This house has no TLS; test_oauth_clients.py has one that does.
    assert issuer.scheme in ("http", "https") and not issuer.query and not issuer.fragment


# --- RFC 9728


@pytest.mark.parametrize("mount", ["", "/x"], ids=["root", "x"])
def test_9728_3_the_resource_has_its_document(make_house, mount):
    """> Protected resources supporting metadata MUST make a JSON document containing metadata as specified in Section 2 available
    > at a URL formed by inserting a well-known URI string into the protected resource's resource identifier between the host
    > component and the path and/or query components, if any. RFC 9728 §3

    > The resource value returned MUST be identical to the protected resource's resource identifier value into which the
    > well-known URI path suffix was inserted to create the URL used to retrieve the metadata. RFC 9728 §3.3"""
    house = make_house(mount=mount)
    answer = well_known(house, "oauth-protected-resource")
    assert answer.status_code == 200 and answer.headers["Content-Type"].split(";")[0] == "application/json", answer.text
    body = answer.json()
    assert body["resource"] == house.origin + mount
    assert body["authorization_servers"] == [house.origin + mount] and body["bearer_methods_supported"] == ["header"]
    assert not [name for name, value in body.items() if value in ([], {}, "", None)]
    assert requests.get(house.url("/.well-known/oauth-protected-resource"), timeout=30).json() == body


def test_9728_3_1_it_is_asked_for_with_get(server):
    """> A protected resource metadata document MUST be queried using an HTTP GET request at the previously specified URL.
    > RFC 9728 §3.1"""
    assert requests.post(server.house.url("/.well-known/oauth-protected-resource"), timeout=30).status_code == 405


def test_9728_3_2_nothing_empty_is_in_it(server):
    """> A successful response MUST use the 200 OK HTTP status code and return a JSON object using the application/json content
    > type […] Parameters with zero values MUST be omitted from the response. RFC 9728 §3.2"""
    answer = well_known(server.house, "oauth-protected-resource")
    assert answer.status_code == 200
    assert not [name for name, value in answer.json().items() if value in ([], {}, "", None)]


def test_9728_5_1_a_challenge_leads_to_it(server):
    """> resource_metadata: The URL of the protected resource metadata. RFC 9728 §5.1"""
    for answer in (requests.get(server.house.url("/api/v1/connections"), timeout=30), server.ask("nonsense")):
        url = challenge(answer)["resource_metadata"]
        told = requests.get(url, timeout=30)
        assert told.status_code == 200
        issuer = urllib.parse.urlsplit(told.json()["authorization_servers"][0])
        found = requests.get(
            f"{issuer.scheme}://{issuer.netloc}/.well-known/oauth-authorization-server{issuer.path}", timeout=30)
        assert found.json()["issuer"] == told.json()["authorization_servers"][0]


# --- RFC 8707


def test_8707_2_a_resource_is_an_absolute_uri_without_fragment(server, app):
    """> Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC3986]. The URI MUST NOT include a fragment
    > component. […] invalid_target: The requested resource is invalid, missing, unknown, or malformed. RFC 8707 §2"""
    for bad in ("relative", server.house.url("/api#x"), "https://elsewhere.example/"):
        assert app.asks(resource=bad).outcome["error"] == "invalid_target", bad
        refused(app.for_itself(resource=bad), "invalid_target")
    [good] = [well_known(server.house, "oauth-protected-resource").json()["resource"]]
    token = app.redeem(app.code(resource=good), resource=good).json()["access_token"]
    assert server.ask(token).status_code == 200
    audience = app.introspects(token)["aud"]
    assert good in (audience if isinstance(audience, list) else [audience])


# --- RFC 9126


def pushed(app, **changes):
    answer = app.post("pushed_authorization_request", {**parameters(app.url()), **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


def with_request(app, uri, **more):
    query = {"client_id": app.client_id, "request_uri": uri, **more}
    return visit(app.server.person, app.server.endpoint("authorization") + "?" + urllib.parse.urlencode(query))


def test_9126_2_2_a_pushed_request_belongs_to_its_client_and_gives_one_code(server, app, other):
    """> The "request_uri" value MUST be bound to the client that posted the authorization request. […] it MUST contain some part
    > generated using a cryptographically strong pseudorandom algorithm such that it is computationally infeasible to predict
    > or guess a valid value. RFC 9126 §2.2"""
    app.code()
    body = pushed(app)
    assert body["request_uri"].startswith("urn:ietf:params:oauth:request_uri:") and 5 <= body["expires_in"] <= 600
    assert len(body["request_uri"].rpartition(":")[2]) >= 43 and pushed(app)["request_uri"] != body["request_uri"]
    assert "code" not in str(with_request(other, body["request_uri"]).left), "another's"
    # What is allowed is remembered, so that this leads straight back.
    outcome = with_request(app, body["request_uri"], scope="audit:read", state="injected").outcome
    assert outcome["state"] == "st4te", "what stands in the address beside it does not count"
    assert app.redeem(outcome["code"]).json().get("scope", "connections:read") == "connections:read"
    assert "code=" not in str(with_request(app, body["request_uri"]).left), "each gives one code"
    late = pushed(app)["request_uri"]
    server.house.sql("UPDATE oauth_requests SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    assert "code=" not in str(with_request(app, late).left)


def test_9126_2_1_it_is_checked_as_at_the_authorization_endpoint(app, public):
    """> The authorization server MUST process the request as follows: 1. Authenticate the client in the same way as at the token
    > endpoint. 2. Reject the request if the request_uri authorization request parameter is provided. 3. Validate the pushed
    > request as it would an authorization request sent to the authorization endpoint. RFC 9126 §2.1"""
    refused(app.post("pushed_authorization_request", {**parameters(app.url()), "request_uri": "urn:x"}), "invalid_request")
    refused(app.post("pushed_authorization_request", parameters(app.url()), auth=(app.client_id, "no")), "invalid_client", 401)
    for changes, error in (
            ({"redirect_uri": "https://evil.example/"}, "invalid_request"), ({"scope": "no:such"}, "invalid_scope"),
            ({"code_challenge": None}, "invalid_request"), ({"response_type": "token"}, "unsupported_response_type")):
        refused(app.post("pushed_authorization_request", {**parameters(app.url()), **changes}), error)
    assert pushed(public)["request_uri"]


def test_9126_6_an_app_may_bind_itself_to_pushing(server):
    """> require_pushed_authorization_requests: Boolean parameter indicating whether the only means of initiating an authorization
    > request the client is allowed to use is PAR. RFC 9126 §6"""
    bound = server.register(require_pushed_authorization_requests=True)
    assert bound.asks().outcome["error"] == "invalid_request"
    seen = with_request(bound, pushed(bound)["request_uri"])
    assert bound.redeem(seen.press(YES).outcome["code"]).status_code == 200


# --- RFC 8628


def test_8628_a_device_waits_until_a_person_has_entered_its_code(server, public):
    """> A variant of "authorization_pending", the authorization request is still pending and polling should continue, but the
    > interval MUST be increased by 5 seconds for this and all subsequent requests. RFC 8628 §3.5"""
    began = public.post("device_authorization", {"scope": "connections:read"})
    assert began.status_code == 200, began.text
    body = began.json()
    assert body["verification_uri"].startswith(server.metadata["issuer"])
    assert body["interval"] == 5 and body["expires_in"] <= 1800
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", body["user_code"]), body
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": body["device_code"]}
    refused(public.post("token", form), "authorization_pending")
    refused(public.post("token", form), "slow_down")
    typed = body["user_code"].replace("-", "").lower()
    page = visit(server.person, body["verification_uri"])
    form_page = page.press("Go on", user_code=typed)
    done = form_page.press(YES)
    assert done.answer.status_code == 200, done.text[:500]
    server.house.sql("UPDATE oauth_device_codes SET polled_at = polled_at - INTERVAL 60 SECOND")
    got = public.post("token", form)
    assert got.status_code == 200, got.text
    assert server.ask(got.json()["access_token"]).status_code == 200
    refused(public.post("token", form), "invalid_grant")


def test_8628_3_5_a_denied_device_is_told(server, public):
    """> access_denied: The authorization request was denied. […] expired_token: The "device_code" has expired. RFC 8628 §3.5"""
    body = public.post("device_authorization", {"scope": "connections:read"}).json()
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": body["device_code"]}
    visit(server.person, body["verification_uri"]).press("Go on", user_code=body["user_code"]).press(NO)
    refused(public.post("token", form), "access_denied")
    late = public.post("device_authorization", {}).json()
    server.house.sql("UPDATE oauth_device_codes SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    refused(public.post("token", {**form, "device_code": late["device_code"]}), "expired_token")


# --- CORS (RFC 9700 §2.6)


def test_9700_2_6_pages_of_other_sites_may_ask_for_tokens_and_not_for_consent(server, app):
    """> CORS MUST NOT be supported at the authorization endpoint, as the client does not access this endpoint directly
    > RFC 9700 §2.6"""
    origin = {"Origin": "https://spa.example"}
    preflight = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    assert "Access-Control-Allow-Origin" not in requests.get(app.url(), headers=origin, timeout=30).headers
    asked = requests.options(server.endpoint("authorization"), headers=preflight, timeout=30)
    assert "Access-Control-Allow-Origin" not in asked.headers
    for url in (server.endpoint("token"), server.endpoint("revocation")):
        answer = requests.options(url, headers=preflight, timeout=30)
        assert answer.status_code in (200, 204), url
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://spa.example"), url
        assert "Access-Control-Allow-Credentials" not in answer.headers
    metadata = requests.get(server.house.url("/.well-known/oauth-authorization-server"), headers=origin, timeout=30)
    assert metadata.headers["Access-Control-Allow-Origin"] == "*"
