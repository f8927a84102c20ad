"""Each MUST of RFC 6749 that concerns a server, by its number and in its own words.

What is left out concerns the client alone, registries, TLS (§1.6, §2.3.1, §3.1, §3.2, §10.3–10.11: nginx's, and the hub
refuses to be told of a public origin without it unless that is this machine's own), or the implicit and password grants
(§4.2, §4.3), of which the last tests here prove that they do not exist. The RFCs built upon this one are in
test_oauth_clauses_extensions.py.
"""

import re
import time
import urllib.parse

import pytest
import requests

from ecosystem import CALLBACK, NO, VERIFIER, YES, Server, furnish, parameters, refused, visit
from house import until
from test_dump import find

# §4.1.2.1, §5.2.
ERROR = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")
AUTHORIZATION_ERRORS = {"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
                        "server_error", "temporarily_unavailable"}
TOKEN_ERRORS = {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
                "invalid_scope"}
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def server(database_template, tmp_path_factory):
    house, made = furnish(tmp_path_factory.mktemp("clauses") / "house", workers=2)
    house.create_user("mia@example.org", PASSWORD, org="Example", role="member")
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


# --- §2 Client registration


def test_2_2_a_client_identifier_is_unique_and_no_credential(server, app, other):
    """> The client identifier is not a secret; it is exposed to the resource owner and MUST NOT be used alone for client
    > authentication. The client identifier is unique to the authorization server."""
    assert app.client_id != other.client_id
    refused(app.for_itself(auth="none"), "invalid_client", 401)
    refused(app.redeem(app.code(), auth="none"), "invalid_client", 401)
    assert app.client_id in app.url(), "it is exposed"


def test_2_3_public_clients_are_not_believed_to_be_who_they_say(public):
    """> the authorization server MUST NOT rely on public client authentication for the purpose of identifying the client."""
    public.code()
    assert public.asks().left is None, "a person decides anew, since anybody may use this client_id"


def test_2_3_one_authentication_method_in_each_request(app):
    """> The client MUST NOT use more than one authentication method in each request."""
    answer = app.for_itself(auth="basic", client_id=app.client_id, client_secret=app.secret)
    refused(answer, "invalid_request")


def test_2_3_1_http_basic_is_supported(app):
    """> The authorization server MUST support the HTTP Basic authentication scheme for authenticating clients that were
    > issued a client password."""
    assert app.for_itself(auth="basic").status_code == 200
    assert app.for_itself(auth="post").status_code == 200


def test_2_3_1_both_parts_of_basic_are_form_encoded(app):
    """> The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm per Appendix B,
    > and the encoded value is used as the username; the client password is encoded using the same algorithm"""
    encoded = tuple("".join(f"%{byte:02X}" for byte in part.encode()) for part in (app.client_id, app.secret))
    assert app.for_itself(auth=encoded).status_code == 200
    refused(app.for_itself(auth=(app.client_id, app.secret + "%")), "invalid_client", 401)


def test_2_3_1_credentials_are_not_in_the_request_uri(server, app):
    """> The parameters can only be transmitted in the request-body and MUST NOT be included in the request URI."""
    answer = requests.post(server.endpoint("token"), params={"client_id": app.client_id, "client_secret": app.secret},
                           data={"grant_type": "client_credentials"}, timeout=30)
    assert answer.status_code in (400, 401) and answer.json()["error"] in ("invalid_request", "invalid_client")


def test_2_3_1_guessing_secrets_is_guarded_against(make_house):
    """> Since this client authentication method involves a password, the authorization server MUST protect any endpoint
    > utilizing it against brute force attacks."""
    made = Server(make_house(settings={"HUB_GUESSES_PER_MINUTE": 10})).register()
    for endpoint in ("token", "revocation", "introspection"):
        answers = [made.post(endpoint, {"token": "x", "grant_type": "client_credentials"}, auth=(made.client_id, f"no-{n}"))
                   for n in range(40)]
        assert answers[-1].status_code == 429 and int(answers[-1].headers["Retry-After"]) > 0, endpoint


# --- §3 Endpoints


def test_3_1_the_resource_owner_is_verified_first(app):
    """> The authorization server MUST first verify the identity of the resource owner."""
    seen = visit(None, app.url())
    assert seen.left is None and "/sign-in" in seen.answer.url
    assert "code=" not in seen.text


def test_3_1_the_authorization_endpoint_takes_get(server, app):
    """> The authorization server MUST support the use of the HTTP "GET" method for the authorization endpoint"""
    assert app.allowed().outcome["code"]
    assert urllib.parse.urlsplit(server.endpoint("authorization")).fragment == ""


@pytest.mark.parametrize("name", ["scope", "prompt", "resource", "login_hint", "max_age"])
def test_3_1_a_parameter_without_a_value_is_none(app, name):
    """> Parameters sent without a value MUST be treated as if they were omitted from the request."""
    without = app.asks(**{name: None})
    empty = app.asks(**{name: ""})
    assert bool(without.left) == bool(empty.left), (without.left, empty.left)
    if empty.left:
        assert set(empty.outcome) == set(without.outcome)


def test_3_1_a_state_without_a_value_is_none(app):
    """> Parameters sent without a value MUST be treated as if they were omitted from the request."""
    assert "state" not in app.allowed(state="").outcome
    assert "state" not in app.allowed(state=None).outcome


def test_3_1_unrecognized_parameters_are_ignored(app):
    """> The authorization server MUST ignore unrecognized request parameters."""
    assert app.allowed(unheard_of="x", display="page", nonce="n", ui_locales="de").outcome["code"]


def test_3_1_no_parameter_more_than_once(app):
    """> Request and response parameters MUST NOT be included more than once."""
    seen = visit(app.server.person, app.url() + "&state=other")
    assert parameters(seen.left)["error"] == "invalid_request"
    parameters(app.allowed().left)


def test_3_1_1_a_missing_or_unknown_response_type_is_an_error(app):
    """> If an authorization request is missing the "response_type" parameter, or if the response type is not understood, the
    > authorization server MUST return an error response as described in Section 4.1.2.1."""
    assert app.asks(response_type=None).outcome["error"] == "invalid_request"
    assert app.asks(response_type="unheard_of").outcome["error"] == "unsupported_response_type"


def test_3_1_2_a_redirection_endpoint_is_an_absolute_uri_without_fragment(server):
    """> The redirection endpoint URI MUST be an absolute URI […] The endpoint URI MUST NOT include a fragment component."""
    for bad in ("/callback", "callback", CALLBACK + "#there", CALLBACK + "#"):
        assert server.registered(redirect_uris=[bad]).status_code == 422, bad


def test_3_1_2_the_query_of_a_redirection_endpoint_is_retained(server):
    """> The endpoint URI MAY include an "application/x-www-form-urlencoded" formatted query component, which MUST be retained
    > when adding additional query parameters."""
    made = server.register(redirect_uris=[CALLBACK + "?tenant=a%20b&x="])
    left = made.allowed().left
    assert left.startswith(CALLBACK + "?tenant=a%20b&x=&"), left
    assert parameters(left)["tenant"] == "a b" and parameters(left)["code"]


def test_3_1_2_2_public_clients_register_their_redirection_endpoint(server):
    """> The authorization server MUST require the following clients to register their redirection endpoint: Public clients."""
    answer = server.registered(confidential=False, redirect_uris=[])
    assert answer.status_code == 422 and "redirect_uris" in answer.text


def test_3_1_2_3_of_several_redirection_uris_one_is_named(server):
    """> If multiple redirection URIs have been registered […] the client MUST include a redirection URI with the authorization
    > request using the "redirect_uri" request parameter."""
    made = server.register(redirect_uris=[CALLBACK, CALLBACK + "/two"])
    assert made.asks(redirect_uri=None).left is None
    assert made.allowed(redirect_uri=CALLBACK + "/two").left.startswith(CALLBACK + "/two?")


def test_3_1_2_3_redirection_uris_are_compared_as_strings(app):
    """> If the client registration included the full redirection URI, the authorization server MUST compare the two URIs using
    > simple string comparison as defined in [RFC3986] Section 6.2.1."""
    for equivalent in ("https://app.example:443/callback", "https://APP.example/callback", "https://app.example/%63allback",
                       "https://app.example/./callback", "HTTPS://app.example/callback"):
        assert app.asks(redirect_uri=equivalent).left is None, equivalent


def test_3_1_2_4_nobody_is_redirected_to_an_invalid_uri(app):
    """> If an authorization request fails validation due to a missing, invalid, or mismatching redirection URI, the
    > authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the user-agent to
    > the invalid redirection URI."""
    for bad in (None, "not a uri", "https://evil.example/"):
        seen = app.asks(redirect_uri=bad)
        assert seen.left is None and seen.answer.status_code == 400
        assert "redirect" in seen.text.lower(), "the person is told what is wrong"


@pytest.mark.parametrize("name", ["scope", "resource", "client_secret"])
def test_3_2_a_parameter_without_a_value_is_none(app, name):
    """> Parameters sent without a value MUST be treated as if they were omitted from the request."""
    assert app.for_itself(**{name: ""}).status_code == 200


def test_3_2_a_missing_and_an_empty_required_parameter_are_the_same(app):
    """> Parameters sent without a value MUST be treated as if they were omitted from the request."""
    for name in ("grant_type", "code"):
        form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        refused(app.post("token", {**form, name: ""}), "invalid_request")
        refused(app.post("token", {**form, name: None}), "invalid_request")


def test_3_2_unrecognized_parameters_are_ignored(app):
    """> The authorization server MUST ignore unrecognized request parameters."""
    assert app.for_itself(unheard_of="x").status_code == 200


def test_3_2_no_parameter_more_than_once(app):
    """> Request and response parameters MUST NOT be included more than once."""
    body = "grant_type=client_credentials&grant_type=client_credentials"
    refused(app.post("token", body, auth=(app.client_id, app.secret)), "invalid_request")


def test_3_2_the_token_endpoint_takes_post_alone(server, app):
    """> The client MUST use the HTTP "POST" method when making access token requests."""
    answer = requests.get(server.endpoint("token"), params={"grant_type": "client_credentials"},
                          auth=(app.client_id, app.secret), timeout=30)
    assert answer.status_code == 405 and set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_3_2_1_confidential_clients_authenticate(app):
    """> Confidential clients or other clients issued client credentials MUST authenticate with the authorization server as
    > described in Section 2.3 when making requests to the token endpoint."""
    got = app.tokens()
    refused(app.redeem(app.code(), auth=None), "invalid_client", 401)
    refused(app.redeem(app.code(), auth="none"), "invalid_client", 401)
    refused(app.refresh(got["refresh_token"], auth="none"), "invalid_client", 401)
    refused(app.for_itself(auth=None), "invalid_client", 401)


def test_3_2_1_an_unauthenticated_client_names_itself(public):
    """> In the "authorization_code" "grant_type" request to the token endpoint, an unauthenticated client MUST send its
    > "client_id" to prevent itself from inadvertently accepting a code intended for a client with a different "client_id"."""
    code = public.code()
    assert public.redeem(code, auth=None).json()["error"] in ("invalid_client", "invalid_request")
    assert public.redeem(code).status_code == 200


def test_3_3_the_scope_is_told_when_it_is_another(server, app):
    """> If the issued access token scope is different from the one requested by the client, the authorization server MUST
    > include the "scope" response parameter to inform the client of the actual scope granted."""
    unasked = app.for_itself(scope=None).json()
    assert set(unasked["scope"].split()) <= {"connections:read", "audit:read"} and unasked["scope"]
    got = app.tokens(scope="audit:read connections:read")
    assert set(got.get("scope", "audit:read connections:read").split()) == {"audit:read", "connections:read"}
    narrower = app.refresh(got["refresh_token"], scope="audit:read").json()
    assert narrower.get("scope", "audit:read") == "audit:read"


def test_3_3_a_request_without_scope_gets_a_default_or_an_error(app):
    """> If the client omits the scope parameter when requesting authorization, the authorization server MUST either process
    > the request using a pre-defined default value or fail the request indicating an invalid scope."""
    outcome = app.allowed(scope=None).outcome
    if "code" in outcome:
        assert app.redeem(outcome["code"]).json()["scope"]
    else:
        assert outcome["error"] == "invalid_scope"


def test_3_3_scopes_are_case_sensitive_and_their_order_does_not_matter(app):
    """> The value of the scope parameter is expressed as a list of space-delimited, case-sensitive strings. […] their order
    > does not matter"""
    assert app.asks(scope="Connections:read").outcome["error"] == "invalid_scope"
    app.code(scope="connections:read audit:read")
    assert app.asks(scope="audit:read connections:read").left, "the same is remembered"


# --- §4.1 Authorization code grant


def test_4_1_2_a_code_expires_shortly(server, app):
    """> The authorization code MUST expire shortly after it is issued to mitigate the risk of leaks. A maximum authorization
    > code lifetime of 10 minutes is RECOMMENDED."""
    code = app.code()
    [row] = server.house.sql(
        "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), MAX(expires_at)) AS most FROM oauth_codes")
    assert 0 < row["most"] <= 600
    server.house.sql("UPDATE oauth_codes SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    refused(app.redeem(code), "invalid_grant")


def test_4_1_2_a_code_is_good_once(server, app):
    """> If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke
    > (when possible) all tokens previously issued based on that authorization code."""
    code = app.code()
    got = app.redeem(code).json()
    refused(app.redeem(code), "invalid_grant")
    assert server.ask(got["access_token"]).status_code == 401


@pytest.mark.parametrize("state", ["x", " ", "a b+c%20&=?#/", "é☃𝄞", "%", "\"'<>\\", "0" * 2048])
def test_4_1_2_the_state_comes_back_as_it_was(app, state):
    """> state REQUIRED if the "state" parameter was present in the client authorization request. The exact value received from
    > the client."""
    assert app.allowed(state=state).outcome["state"] == state
    assert app.asks(state=state, scope="no:such").outcome["state"] == state
    assert app.asks(state=state, prompt="consent").press(NO).outcome["state"] == state


def test_4_1_2_1_a_bad_client_or_uri_redirects_nobody(server, app):
    """> If the request fails due to a missing, invalid, or mismatching redirection URI, or if the client identifier is missing
    > or invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect
    > the user-agent to the invalid redirection URI."""
    for changes in ({"client_id": None}, {"client_id": "nobody"}, {"redirect_uri": "https://evil.example/"},
                    {"redirect_uri": None}):
        seen = app.asks(**changes)
        assert seen.left is None and seen.answer.status_code == 400, changes


@pytest.mark.parametrize("changes, error", [
    ({"response_type": "token"}, "unsupported_response_type"), ({"response_type": None}, "invalid_request"),
    ({"scope": "no:such"}, "invalid_scope"), ({"scope": "\"é\\"}, "invalid_scope"),
    ({"code_challenge": "é\"\\"}, "invalid_request"),
    ({"response_type": "é\"\\\n"}, "unsupported_response_type")], ids=str)
def test_4_1_2_1_errors_are_of_the_list_and_in_its_characters(app, changes, error):
    """> Values for the "error" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E. […] Values
    > for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E."""
    outcome = app.asks(**changes).outcome
    assert outcome["error"] == error and error in AUTHORIZATION_ERRORS and outcome["state"] == "st4te"
    assert ERROR.fullmatch(outcome["error_description"]), outcome
    assert re.fullmatch(r"[\x21\x23-\x5B\x5D-\x7E]*", outcome.get("error_uri", ""))


def test_4_1_2_1_a_denial_is_told(app):
    """> access_denied The resource owner or authorization server denied the request."""
    outcome = app.asks(prompt="consent").press(NO).outcome
    assert outcome["error"] == "access_denied" and "code" not in outcome


def test_4_1_3_a_code_needs_the_client_it_was_given_to(app, other, public):
    """> The authorization server MUST: […] ensure that the authorization code was issued to the authenticated confidential
    > client, or if the client is public, ensure that the code was issued to "client_id" in the request"""
    refused(other.redeem(app.code()), "invalid_grant")
    refused(public.redeem(app.code()), "invalid_grant")
    refused(app.redeem(public.code()), "invalid_grant")


def test_4_1_3_confidential_clients_authenticate(app):
    """> The authorization server MUST: require client authentication for confidential clients or for any client that was
    > issued client credentials (or with other authentication requirements), authenticate the client if client authentication
    > is included"""
    code = app.code()
    refused(app.redeem(code, auth="none"), "invalid_client", 401)
    refused(app.redeem(code, auth=(app.client_id, "wrong")), "invalid_client", 401)
    assert app.redeem(code).status_code == 200


def test_4_1_3_the_code_is_verified(app):
    """> The authorization server MUST: […] verify that the authorization code is valid"""
    refused(app.redeem("nonsense"), "invalid_grant")
    refused(app.redeem(app.code()[:-1] + "_"), "invalid_grant")


def test_4_1_3_the_redirect_uri_is_the_same_again(server):
    """> The authorization server MUST: […] ensure that the "redirect_uri" parameter is present if the "redirect_uri" parameter
    > was included in the initial authorization request as described in Section 4.1.1, and if included ensure that their
    > values are identical."""
    made = server.register(redirect_uris=[CALLBACK, CALLBACK + "/two"])
    refused(made.redeem(made.code(), redirect_uri=CALLBACK + "/two"), "invalid_grant")
    assert made.redeem(made.code(redirect_uri=CALLBACK + "/two"), redirect_uri=CALLBACK + "/two").status_code == 200


# --- §4.4 Client credentials grant


def test_4_4_client_credentials_are_for_confidential_clients(public):
    """> The client credentials grant type MUST only be used by confidential clients."""
    assert public.for_itself().json()["error"] in ("unauthorized_client", "invalid_client")


def test_4_4_2_the_client_is_authenticated(app):
    """> The authorization server MUST authenticate the client."""
    refused(app.for_itself(auth=(app.client_id, "wrong")), "invalid_client", 401)
    assert app.for_itself().status_code == 200


def test_4_4_3_no_refresh_token_is_included(app):
    """> A refresh token SHOULD NOT be included."""
    assert "refresh_token" not in app.for_itself().json()


# --- §5 Issuing an access token


def everything(app):
    """An answer of each kind with tokens in it."""
    got = app.redeem(app.code())
    return {"code": got, "refresh": app.refresh(got.json()["refresh_token"]), "itself": app.for_itself()}


def test_5_1_what_an_answer_has(app):
    """> access_token REQUIRED. […] token_type REQUIRED. […] expires_in RECOMMENDED. The lifetime in seconds of the access
    > token."""
    for kind, answer in everything(app).items():
        body = answer.json()
        assert answer.status_code == 200 and answer.headers["Content-Type"].split(";")[0] == "application/json"
        assert body["token_type"].lower() == "bearer" and isinstance(body["expires_in"], int), kind
        assert 3590 <= body["expires_in"] <= 3600
        assert re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", body["access_token"]), "RFC 6750 §2.1: b64token"
        assert ("refresh_token" in body) == (kind != "itself")


def test_5_1_answers_are_not_stored(app):
    """> The authorization server MUST include the HTTP "Cache-Control" response header field with a value of "no-store" in any
    > response containing tokens, credentials, or other sensitive information, as well as the "Pragma" response header field
    > with a value of "no-cache"."""
    token = app.tokens()["access_token"]
    for answer in (*everything(app).values(), app.post("introspection", {"token": token}), app.redeem("nonsense")):
        assert "no-store" in answer.headers["Cache-Control"]
    for answer in everything(app).values():
        assert answer.headers["Pragma"] == "no-cache"


def test_5_2_a_client_that_fails_by_its_header_is_challenged(app):
    """> If the client attempted to authenticate via the "Authorization" request header field, the authorization server MUST
    > respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field matching the
    > authentication scheme used by the client."""
    for auth in ((app.client_id, "wrong"), ("nobody", "wrong"), ("", "")):
        answer = app.for_itself(auth=auth)
        refused(answer, "invalid_client", 401)
        assert re.match(r'Basic realm="[^"]+"', answer.headers["WWW-Authenticate"])
    for header in ("Basic !!!", "Basic", "Basic " + "QQ" * 5000, "Bearer x", "Digest username=x"):
        answer = app.post("token", {"grant_type": "client_credentials"}, auth=None, headers={"Authorization": header})
        assert answer.status_code in (400, 401, 431), (header, answer.text)


@pytest.mark.parametrize("form, error", [
    ({"grant_type": None, "scope": "connections:read"}, "invalid_request"),
    ({"grant_type": "é\"\\"}, "unsupported_grant_type"),
    ({"grant_type": "client_credentials", "scope": "é\"\\ x:y"}, "invalid_scope"),
    ({"grant_type": "authorization_code"}, "invalid_request"), ({"grant_type": "refresh_token"}, "invalid_request"),
    ({"grant_type": "refresh_token", "refresh_token": "é\"\\"}, "invalid_grant"),
    ({"grant_type": "authorization_code", "code": "é\"\\", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}, "invalid_grant"),
], ids=str)
def test_5_2_errors_are_of_the_list_and_in_its_characters(app, form, error):
    """> Values for the "error" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E. […] Values
    > for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E."""
    body = refused(app.post("token", form), error)
    assert error in TOKEN_ERRORS and ERROR.fullmatch(body["error"]) and ERROR.fullmatch(body["error_description"]), body


# --- §6 Refreshing an access token


def test_6_no_scope_beyond_what_was_granted(app):
    """> The requested scope MUST NOT include any scope not originally granted by the resource owner, and if omitted is treated
    > as equal to the scope originally granted by the resource owner."""
    got = app.tokens(scope="connections:read")
    refused(app.refresh(got["refresh_token"], scope="connections:read audit:read"), "invalid_scope")
    again = app.refresh(got["refresh_token"]).json()
    assert app.introspects(again["access_token"])["scope"] == "connections:read"


def test_6_the_client_authenticates(app):
    """> The authorization server MUST: require client authentication for confidential clients or for any client that was
    > issued client credentials (or with other authentication requirements), authenticate the client if client authentication
    > is included"""
    got = app.tokens()
    refused(app.refresh(got["refresh_token"], auth="none"), "invalid_client", 401)
    refused(app.refresh(got["refresh_token"], auth=(app.client_id, "wrong")), "invalid_client", 401)


def test_6_a_refresh_token_is_bound_to_its_client(app, other, public):
    """> The authorization server MUST: […] ensure that the refresh token was issued to the authenticated client"""
    got = app.tokens()
    refused(other.refresh(got["refresh_token"]), "invalid_grant")
    refused(public.refresh(got["refresh_token"]), "invalid_grant")
    refused(app.refresh(public.tokens()["refresh_token"]), "invalid_grant")


def test_6_the_refresh_token_is_validated(server, app):
    """> The authorization server MUST: […] validate the refresh token."""
    got = app.tokens()
    refused(app.refresh("nonsense"), "invalid_grant")
    refused(app.refresh(got["access_token"]), "invalid_grant")
    assert app.revokes(got["refresh_token"]).status_code == 200
    refused(app.refresh(got["refresh_token"]), "invalid_grant")
    late = app.tokens()
    server.house.sql("UPDATE oauth_grants SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    server.house.sql("UPDATE oauth_refresh_tokens SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    refused(app.refresh(late["refresh_token"]), "invalid_grant")


def test_6_a_new_refresh_token_has_the_scope_of_the_old_one(app):
    """> If a new refresh token is issued, the refresh token scope MUST be identical to that of the refresh token included by
    > the client in the request."""
    got = app.tokens(scope="connections:read audit:read")
    narrow = app.refresh(got["refresh_token"], scope="audit:read").json()
    assert app.introspects(narrow["access_token"])["scope"] == "audit:read"
    wide = app.refresh(narrow["refresh_token"]).json()
    assert set(app.introspects(wide["access_token"])["scope"].split()) == {"connections:read", "audit:read"}


# --- §7 Accessing protected resources


def test_7_the_token_is_validated_with_its_end_and_its_scope(server, app):
    """> The resource server MUST validate the access token and ensure that it has not expired and that its scope covers the
    > requested resource."""
    token = app.tokens(scope="connections:read")["access_token"]
    assert server.ask(token).status_code == 200
    assert server.ask(token, "/audit-log").status_code == 403
    assert server.ask(token[:-1] + ("A" if token[-1] != "A" else "B")).status_code == 401


def test_7_a_token_ends_when_it_was_said_to(server, app):
    """> ensure that it has not expired"""
    token = app.for_itself().json()["access_token"]
    # No worker has met it yet.
    server.house.sql("UPDATE oauth_access_tokens SET expires_at = UTC_TIMESTAMP(6) + INTERVAL 3 SECOND ORDER BY id DESC LIMIT 1")
    began = time.monotonic()
    assert {server.ask(token).status_code for _ in range(8)} == {200}, "every worker knows it now"
    until(lambda: {server.ask(token).status_code for _ in range(8)} == {401}, 30, "the end")
    assert time.monotonic() - began > 2
    assert app.introspects(token) == {"active": False}


# --- §10 Security considerations


def test_10_1_native_clients_get_no_password(public):
    """> The authorization server MUST NOT issue client passwords or other client credentials to native application or
    > user-agent-based application clients for the purpose of client authentication."""
    assert not public.secret and "client_secret" not in {k: v for k, v in public.body.items() if v}
    assert public.server.api.post(f"/oauth-apps/{public.id}/roll-secret").status_code in (409, 422)


def test_10_3_tokens_are_kept_confidential_in_storage(server, app):
    """> Access token credentials (as well as any confidential access token attributes) MUST be kept confidential in transit
    > and storage"""
    got = app.tokens()
    assert find([got["access_token"], got["refresh_token"], app.for_itself().json()["access_token"]], server.house.dump()) == []


def test_10_3_10_4_tokens_cannot_be_made_changed_or_guessed(server, app):
    """> The authorization server MUST ensure that access tokens cannot be generated, modified, or guessed to produce valid
    > access tokens by unauthorized parties. […] The authorization server MUST ensure that refresh tokens cannot be generated,
    > modified, or guessed"""
    got = app.tokens()
    for place in range(0, len(got["access_token"]), 7):
        for kind, good in (("access", got["access_token"]), ("refresh", got["refresh_token"])):
            letter = "b" if good[place % len(good)] == "a" else "a"
            changed = good[:place] + letter + good[place + 1:]
            if kind == "access":
                assert server.ask(changed).status_code == 401
            else:
                refused(app.refresh(changed), "invalid_grant")
    assert app.refresh(got["refresh_token"]).status_code == 200


def test_10_4_the_binding_of_a_refresh_token_is_verified(app, other):
    """> The authorization server MUST verify the binding between the refresh token and client identity whenever the client
    > identity can be authenticated."""
    refused(other.refresh(app.tokens()["refresh_token"]), "invalid_grant")


def test_10_5_codes_are_single_use(app):
    """> Authorization codes MUST be short lived and single-use."""
    code = app.code()
    assert app.redeem(code).status_code == 200
    refused(app.redeem(code), "invalid_grant")


def test_10_6_the_redirection_uri_is_the_same_at_both_ends(app):
    """> the authorization server MUST ensure that the redirection URI used to obtain the authorization code is identical to the
    > redirection URI provided when exchanging the authorization code for an access token. […] If a redirection URI is provided
    > in the request, the authorization server MUST validate it against the registered value."""
    refused(app.redeem(app.code(), redirect_uri=CALLBACK + "/"), "invalid_grant")
    assert app.asks(redirect_uri=CALLBACK + "/").left is None


def test_10_10_the_chance_of_a_guess(app):
    """> The probability of an attacker guessing generated tokens (and other credentials not intended for handling by
    > end-users) MUST be less than or equal to 2^(-128) and SHOULD be less than or equal to 2^(-160)."""
    some = [app.for_itself().json()["access_token"] for _ in range(200)]
    assert len(set(some)) == 200
    # How many places differ between neighbours: what is alike in all of them is no secret.
    places = [{text[place] for text in some} for place in range(len(some[0]))]
    free = sum(len(letters) >= 40 for letters in places)
    assert free * 5.95 >= 160, f"{free} places of {len(places)} are free"
    codes = [app.code() for _ in range(10)]
    assert len({code[-30:] for code in codes}) == 10 and all(len(code) >= 43 for code in codes)


def test_10_12_the_authorization_endpoint_is_guarded_against_forgery(server, app):
    """> The authorization server MUST implement CSRF protection for its authorization endpoint and ensure that a malicious
    > client cannot obtain authorization without the awareness and explicit consent of the resource owner."""
    address, fields = app.asks(prompt="consent").form(YES)
    fresh = server.house.sign_in().session
    foreign = {"Origin": "https://evil.example"}
    for session, headers in ((fresh, {}), (requests.Session(), {}), (server.person.session, foreign)):
        answer = session.post(address, data=fields, headers=headers, timeout=30, allow_redirects=False)
        assert "code=" not in answer.headers.get("Location", "") + answer.text
        assert answer.status_code != 200
    new = server.register()
    assert new.asks().left is None, "a person is asked before a new app gets anything"


def test_10_14_values_are_sanitized(app):
    """> The authorization server and client MUST sanitize (and validate when possible) any value received -- in particular, the
    > value of the "state" and "redirect_uri" parameters."""
    seen = app.asks(prompt="consent", state="<script>alert(1)</script>\r\nX-Evil: 1")
    assert "<script>alert(1)" not in seen.answer.text
    after = seen.press(YES)
    assert "X-Evil" not in after.answer.headers and "<script>alert(1)" not in after.answer.text
    bad = app.asks(redirect_uri="javascript:alert(1)//<script>alert(1)</script>")
    assert bad.left is None and "<script>alert(1)" not in bad.answer.text


# --- what the hub leaves out (RFC 9700 §2.1.2, §2.4)


def test_9700_2_4_no_password_grant(server, app):
    """> The resource owner password credentials grant MUST NOT be used."""
    refused(app.post("token", {"grant_type": "password", "username": "owner@example.org", "password": PASSWORD}),
            "unsupported_grant_type")
    assert "password" not in server.metadata["grant_types_supported"]


def test_9700_2_1_2_no_implicit_grant(server, app):
    """> clients SHOULD NOT use the implicit grant (response type token)"""
    outcome = app.asks(response_type="token").outcome
    assert outcome["error"] == "unsupported_response_type"
    assert server.metadata["response_types_supported"] == ["code"]
    assert "implicit" not in server.metadata["grant_types_supported"]
