"""What is done to authorization servers, done to this one: each attack of the table is a test, and each must fail."""

import concurrent.futures
import html
import http.server
import re
import threading
import types
import urllib.parse

import pytest
import requests

from ecosystem import (
    CALLBACK, CHALLENGE, NO, VERIFIER, YES, Server, furnish, parameters, refused, s256, visit)
from house import OWNER, until
from test_dump import find

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def server(database_template, tmp_path_factory):
    house, made = furnish(tmp_path_factory.mktemp("attacks") / "house", workers=4)
    house.create_user("mia@example.org", PASSWORD, org="Example", role="member")
    yield made
    house.stop()


@pytest.fixture(scope="module", params=[True, False], ids=["confidential", "public"])
def app(server, request):
    """An app of either kind: what holds must hold for both."""
    return server.register(confidential=request.param)


@pytest.fixture(scope="module")
def other(server):
    return server.register(redirect_uris=["https://other.example/callback"])


def stays(seen):
    """Fails unless the person sees an error of the hub's own and is sent nowhere."""
    assert seen.left is None, seen.left
    assert 400 <= seen.answer.status_code < 500, seen.answer.status_code
    assert seen.answer.headers["Content-Type"].startswith("text/html")
    assert "app.example" not in seen.answer.headers.get("Location", "")
    return seen


def dead(server, *tokens):
    """Fails unless each access token is refused by the hub's API, whichever worker is asked."""
    for token in tokens:
        assert {server.ask(token).status_code for _ in range(12)} == {401}


# --- codes


def test_a_replayed_code_gives_nothing_and_ends_what_it_gave(server, app):
    code = app.code()
    first = app.redeem(code).json()
    assert server.ask(first["access_token"]).status_code == 200
    refused(app.redeem(code), "invalid_grant")
    dead(server, first["access_token"])
    refused(app.refresh(first["refresh_token"]), "invalid_grant")


def test_what_a_replayed_code_gave_by_refreshes_ends_too(server, app):
    code = app.code()
    second = app.refresh(app.redeem(code).json()["refresh_token"]).json()
    refused(app.redeem(code), "invalid_grant")
    dead(server, second["access_token"])
    refused(app.refresh(second["refresh_token"]), "invalid_grant")


def test_a_code_of_another_app_is_refused(app, other):
    code = app.code()
    refused(other.redeem(code, redirect_uri=app.redirect_uri), "invalid_grant")
    refused(other.redeem(code), "invalid_grant")


def test_of_thirty_two_who_redeem_a_code_at_once_one_gets_tokens(app):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for _ in range(5):
            code = app.code()
            answers = list(pool.map(lambda _, code=code: app.redeem(code), range(32)))
            assert sorted(answer.status_code for answer in answers) == [200] + [400] * 31
            assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}


@pytest.mark.parametrize("change", [
    lambda code: code[:-1] + ("A" if code[-1] != "A" else "B"), lambda code: code + "A", lambda code: code[:-1],
    lambda code: code.swapcase(), lambda code: " " + code, lambda code: "", lambda code: "A" * 8_000,
    lambda code: "\0", lambda code: "é" * 40, lambda code: "%00' OR 1=1 --"],
    ids=["a letter", "longer", "shorter", "case", "space", "empty", "very long", "nul", "not ASCII", "SQL"])
def test_a_code_that_was_never_given_is_refused(app, change):
    code = app.code()
    answer = app.redeem(change(code))
    # A form with a NUL cannot be read at all.
    refused(answer, "invalid_request" if change(code) in ("", "\0") else "invalid_grant")
    assert app.redeem(code).status_code == 200, "the code itself is still good"


# --- redirect URIs

WRONG = {
    "case of the path": "https://app.example/Callback", "case of the host": "https://APP.example/callback",
    "case of the scheme": "HTTPS://app.example/callback", "trailing slash": CALLBACK + "/", "longer path": CALLBACK + "/evil",
    "suffix": CALLBACK + "x", "shorter path": "https://app.example/", "no path": "https://app.example",
    "port": "https://app.example:8443/callback", "the usual port": "https://app.example:443/callback",
    "empty port": "https://app.example:/callback",
    "plain http": "http://app.example/callback", "query": CALLBACK + "?x=1", "empty query": CALLBACK + "?",
    "fragment": CALLBACK + "#x", "empty fragment": CALLBACK + "#", "encoded": "https://app.example/%63allback",
    "encoded slash": "https://app.example%2fcallback", "user": "https://app.example@evil.example/callback",
    "password": "https://a:b@app.example/callback", "dots": "https://app.example/x/../callback",
    "encoded dots": "https://app.example/x/%2e%2e/callback", "dot": "https://app.example/./callback",
    "two slashes": "https://app.example//callback", "backslash": "https://app.example\\callback",
    "subdomain": "https://x.app.example/callback", "suffix of the host": "https://app.example.evil.example/callback",
    "root dot": "https://app.example./callback", "elsewhere": "https://evil.example/", "relative": "/callback",
    "without scheme": "//app.example/callback", "script": "javascript:alert(1)", "data": "data:text/html,x",
    "space before": " " + CALLBACK, "space behind": CALLBACK + " ", "line end": CALLBACK + "\r\nX: y", "nul": CALLBACK + "\0",
    "full-width": "https://app.example/ｃallback", "empty": "", "none": None,
}


@pytest.mark.parametrize("uri", WRONG.values(), ids=WRONG)
def test_a_wrong_redirect_uri_is_never_followed(app, uri):
    seen = stays(app.asks(redirect_uri=uri))
    assert not re.search(r"""href="[^"]*(evil\.example|app\.example|javascript:|data:text)""", seen.text)


@pytest.mark.parametrize("changes", [
    {"response_type": "token"}, {"scope": "no:such"}, {"code_challenge": None}, {"response_type": None}, {"prompt": "none"}],
    ids=lambda changes: ",".join(changes))
def test_no_other_error_is_sent_to_a_wrong_redirect_uri(app, changes):
    stays(app.asks(redirect_uri="https://evil.example/", **changes))


@pytest.mark.parametrize("client_id", ["", None, "unknown", "app_" + "0" * 22, "' OR ''='", "\0", "x" * 5000])
def test_an_unknown_app_is_sent_nobody(app, client_id):
    stays(app.asks(client_id=client_id))


# A form with a NUL cannot be read at all.
@pytest.mark.parametrize("uri", [uri for uri in WRONG.values() if uri and "\0" not in uri],
                         ids=[name for name, uri in WRONG.items() if uri and "\0" not in uri])
def test_the_redirect_uri_of_the_code_is_that_of_the_request(app, uri):
    code = app.code()
    refused(app.redeem(code, redirect_uri=uri), "invalid_grant")


@pytest.mark.parametrize("uri", [
    "http://app.example/callback", "https://app.example/callback#x", "https://app.example/callback#", "/callback",
    "app.example/callback", "//app.example/callback", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd",
    "ftp://app.example/", "https:///callback", "https://", "https://user@app.example/", "https://a:b@app.example/",
    "https://*.app.example/", "https://app.example/*\n", "https://app.example/ x", "https://app.example/\u0000",
    "http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "http://10.0.0.1/callback", "myapp:/callback",
    "https://app.example:99999/", "https://app.example/" + "x" * 3000, "", "blob:https://app.example/x", "about:blank",
    "http:/evil.example/?x=://127.0.0.1/cb", "https:/x?y=://app.example/", "https:app.example/callback"])
def test_a_bad_redirect_uri_cannot_be_registered(server, uri):
    answer = server.registered(redirect_uris=[uri])
    assert answer.status_code == 422, answer.text
    assert "redirect_uris" in answer.text


def test_ports_are_free_on_this_machine_alone(server):
    loopback = server.register(
        redirect_uris=["http://127.0.0.1/cb", "http://[::1]/cb", "https://app.example/cb"], confidential=False)
    for good in ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", "http://[::1]:8/cb", "https://app.example/cb"):
        outcome = loopback.allowed(redirect_uri=good)
        assert outcome.left.startswith(good + "?code="), outcome.left
    for bad in ("http://127.0.0.1:51004/cb/", "http://127.0.0.2:51004/cb", "http://localhost:51004/cb",
                "https://127.0.0.1:51004/cb", "http://127.0.0.1:51004/CB", "http://127.0.0.1:51004@evil.example/cb",
                "http://127.0.0.1:/cb", "http://127.0.0.1:0x50/cb", "http://127.0.0.1:99999/cb", "http://127.1/cb",
                "http://[0:0:0:0:0:0:0:1]/cb", "https://app.example:444/cb", "http://127.0.0.1:51004/cb?x", "http://127.0.0.1"):
        stays(loopback.asks(redirect_uri=bad))
    # The port is part of what the code is bound to.
    code = loopback.code(redirect_uri="http://127.0.0.1:51004/cb")
    refused(loopback.redeem(code, redirect_uri="http://127.0.0.1:51005/cb"), "invalid_grant")


def test_nobody_is_sent_away_before_they_have_signed_in(server, app):
    for changes in ({"scope": "no:such"}, {"response_type": "token"}, {"code_challenge": None}, {}):
        seen = visit(None, app.url(**changes))
        assert seen.left is None and "/sign-in" in seen.answer.url, (changes, seen.answer.url, seen.left)


@pytest.mark.parametrize("target", [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
    "/oauth/consent@evil.example", "https:evil.example"])
def test_the_sign_in_leads_nowhere_else(server, target):
    session = requests.Session()
    page = visit(types.SimpleNamespace(session=session), server.house.url("/sign-in?") + urllib.parse.urlencode({"next": target}))
    after = page.press("Sign in", email=OWNER[0], password=OWNER[1])
    assert after.left is None and after.answer.url.startswith(server.house.origin + "/"), after.left
    assert urllib.parse.urlsplit(after.answer.url).netloc == urllib.parse.urlsplit(server.house.origin).netloc


# --- PKCE


@pytest.mark.parametrize("changes", [
    {"code_challenge": None, "code_challenge_method": None}, {"code_challenge": None}, {"code_challenge": ""},
    {"code_challenge_method": "plain"}, {"code_challenge_method": None}, {"code_challenge_method": "s256"},
    {"code_challenge_method": "S512"}, {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
    {"code_challenge": CHALLENGE + "="}, {"code_challenge": CHALLENGE[:-1]}, {"code_challenge": CHALLENGE + "A"},
    {"code_challenge": CHALLENGE.replace("-", "+")}], ids=str)
def test_missing_plain_or_malformed_pkce_is_refused(app, changes):
    outcome = app.asks(**changes).outcome
    assert outcome["error"] == "invalid_request" and "code" not in outcome
    assert "code_challenge" in outcome["error_description"] and outcome["state"] == "st4te"


@pytest.mark.parametrize("verifier", [
    None, "", VERIFIER[:-1], VERIFIER + "A", VERIFIER.swapcase(), CHALLENGE, s256(CHALLENGE), "a" * 42, "a" * 129,
    VERIFIER + "=", VERIFIER + " ", "é" * 43])
def test_a_wrong_verifier_gives_nothing(app, verifier):
    code = app.code()
    refused(app.redeem(code, code_verifier=verifier), "invalid_grant")


def test_pkce_cannot_be_talked_down_at_the_token_endpoint(app):
    for form in ({"code_verifier": CHALLENGE, "code_challenge_method": "plain"},
                 {"code_verifier": CHALLENGE, "code_challenge": CHALLENGE, "code_challenge_method": "plain"},
                 {"code_verifier": "b" * 43, "code_challenge": s256("b" * 43), "code_challenge_method": "S256"},
                 {"code_verifier": None, "code_challenge_method": "none"}):
        refused(app.redeem(app.code(), **form), "invalid_grant")


def test_a_code_injected_into_another_request_of_the_same_app_is_refused(app):
    stolen = app.code(code_challenge=s256("victim" * 8))
    refused(app.redeem(stolen, code_verifier="attacker" * 6), "invalid_grant")


# --- mix-up


def test_every_answer_names_its_issuer(server, app):
    issuer = server.metadata["issuer"]
    assert app.allowed().outcome["iss"] == issuer
    assert app.asks(prompt="consent").press(NO).outcome == {"error": "access_denied", "iss": issuer, "state": "st4te"} | {
        "error_description": app.asks(prompt="consent").press(NO).outcome["error_description"]}
    assert app.asks(scope="no:such").outcome["iss"] == issuer


def test_a_forged_host_changes_no_address(server, app):
    house = server.house
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"}):
        told = requests.get(house.url("/.well-known/oauth-authorization-server"), headers=headers, timeout=30)
        assert told.json() == server.metadata
        denied = requests.get(house.url("/api/v1/connections"), headers=headers, timeout=30)
        assert denied.status_code == 401 and "evil.example" not in str(denied.headers)
        seen = server.person.session.get(app.url(), headers=headers, timeout=30, allow_redirects=False)
        assert "evil.example" not in seen.headers.get("Location", "") + seen.text


# --- consent


def consent(app, person=None, **changes):
    """(address, fields) of the allowing button, before anyone presses it."""
    return app.asks(person, prompt="consent", **changes).form(YES)


def test_consent_cannot_be_forged_from_another_site(server, app):
    address, fields = consent(app)
    session = server.person.session
    token = {name for name in fields if "csrf" in name.lower() or "token" in name.lower()}
    assert token, fields
    bare = {name: value for name, value in fields.items() if name not in token}
    stranger = server.house.sign_in()
    _, theirs = app.asks(stranger, prompt="consent").form(YES)
    attempts = [
        (bare, {}), ({**bare, **{name: "" for name in token}}, {}), ({**fields, **{name: theirs[name] for name in token}}, {}),
        (fields, {"Origin": "https://evil.example"}), (fields, {"Origin": "null"}), (fields, {"Sec-Fetch-Site": "cross-site"})]
    for form, headers in attempts:
        answer = session.post(address, data=form, headers=headers, timeout=30, allow_redirects=False)
        assert 400 <= answer.status_code < 500, (form, headers, answer.status_code)
        assert "code=" not in answer.text + answer.headers.get("Location", "")
    reading = session.get(address, params=fields, timeout=30, allow_redirects=False)
    assert "code=" not in reading.text + reading.headers.get("Location", ""), "reading decides nothing"


def test_what_one_person_began_another_cannot_decide(server, app):
    """A link to a consent page that was begun in another browser gives its maker nothing."""
    asked = app.asks(prompt="consent")
    mia = server.house.sign_in("mia@example.org", PASSWORD)
    theirs = visit(mia, asked.answer.url)
    assert theirs.left is None
    if theirs.answer.status_code == 200:
        # Then whose access the code gives is hers who allowed it, never that of the one who began.
        got = app.redeem(theirs.press(YES).outcome["code"]).json()
        [row] = server.house.sql("SELECT LOWER(HEX(id)) AS id FROM users WHERE email = 'mia@example.org'")
        checker = server.register(scopes=["oauth_apps:read"])
        assert checker.introspects(got["access_token"])["sub"].replace("-", "") == row["id"]


def test_a_decided_request_cannot_be_decided_again(server, app):
    asked = app.asks(prompt="consent")
    assert "code" in asked.press(YES).outcome
    again = asked.press(YES)
    assert again.left is None and again.answer.status_code >= 400
    assert asked.press(NO).left is None


def test_a_public_app_asks_every_time_and_an_unknown_one_never_hides(server):
    """RFC 8252 §8.6: what cannot prove who it is gets nothing without a person's word."""
    public = server.register(confidential=False)
    public.code()
    assert public.asks().left is None, "anybody may claim to be a public app"


def test_new_scopes_are_asked_for(server):
    confidential = server.register()
    confidential.code(scope="connections:read")
    assert confidential.asks(scope="connections:read").left, "what was allowed is remembered"
    more = confidential.asks(scope="connections:read audit:read")
    assert more.left is None
    more.press(YES)
    assert confidential.asks(scope="audit:read").left
    mia = server.house.sign_in("mia@example.org", PASSWORD)
    assert confidential.asks(mia).left is None, "one person's word is not another's"


def test_no_page_can_be_framed(server, app):
    pages = [app.asks(prompt="consent"), app.asks(redirect_uri="https://evil.example/"), app.asks(client_id="unknown"),
             visit(server.person, server.house.url("/oauth/device")), visit(None, app.url()), app.allowed(prompt="consent")]
    for seen in pages:
        headers = seen.answer.headers
        assert headers["X-Frame-Options"] == "DENY", seen.answer.url
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], seen.answer.url
        assert headers["Referrer-Policy"] in ("no-referrer", "same-origin"), seen.answer.url
        assert "no-store" in headers["Cache-Control"], seen.answer.url
        assert not re.search(r"""(?:src|href)="(?:https?:)?//(?!app\.example|127\.0\.0\.1)""", seen.answer.text)


def test_what_an_app_says_of_itself_is_never_markup(server):
    wicked = server.register(
        name="<script>alert(1)</script>", description="\"><img src=x onerror=alert(1)>",
        website_url="https://app.example/?a=1&b='")
    asked = wicked.asks(state="\"><script>alert(2)</script>")
    for text in ("<script>alert", "<img src=x"):
        assert text not in asked.answer.text
    assert server.registered(website_url="https://app.example/\"'><b>").status_code == 422
    assert server.registered(website_url="javascript:alert(1)").status_code == 422
    assert server.registered(privacy_policy_url="data:text/html,x").status_code == 422
    left = asked.press(YES)
    assert "<script>alert(2)" not in left.answer.text and left.outcome["state"] == "\"><script>alert(2)</script>"


def test_a_state_cannot_break_out_of_the_address(app):
    for state in ("a\r\nSet-Cookie: x=y", "&code=other&iss=https://evil.example", "#x", "%0d%0a", "é+ %&=", "x" * 2000):
        seen = app.asks(prompt="consent", state=state)
        outcome = seen.press(YES).outcome
        assert outcome["state"] == state and len(outcome["code"]) > 40 and outcome["iss"] == app.server.metadata["issuer"]


# --- access tokens


def test_a_token_travels_in_the_header_alone(server, app):
    token = app.tokens()["access_token"]
    url = server.house.url("/api/v1/connections")
    assert requests.get(url, params={"access_token": token}, timeout=30).status_code in (400, 401)
    assert requests.post(url, data={"access_token": token}, timeout=30).status_code in (400, 401, 415)
    two = server.ask(token, params={"access_token": token})
    assert two.status_code == 400, two.text
    two = server.ask(token, headers={"X-API-Key": token})
    assert two.status_code == 400, two.text
    assert server.ask(token).status_code == 200
    assert requests.get(url, headers={"Authorization": f"bearer {token}"}, timeout=30).status_code == 200


def test_a_token_is_no_session_no_code_and_no_refresh_token(server, app):
    got = app.tokens()
    access, refresh = got["access_token"], got["refresh_token"]
    assert server.ask(refresh).status_code == 401
    refused(app.refresh(access), "invalid_grant")
    refused(app.redeem(access), "invalid_grant")
    refused(app.redeem(refresh), "invalid_grant")
    page = requests.get(server.house.url("/connections"), headers={"Authorization": f"Bearer {access}"}, timeout=30,
                        allow_redirects=False)
    assert page.status_code in (302, 303, 401), "pages are for sessions"
    assert server.ask(app.secret or "x").status_code == 401


def test_a_token_does_no_more_than_its_scopes_its_person_and_its_app_may(server):
    app = server.register(scopes=["connections:*", "audit:read", "oauth_apps:write", "api_keys:write"])
    token = app.tokens(scope="connections:read")["access_token"]
    assert server.ask(token).status_code == 200
    assert server.ask(token, "/audit-log").status_code == 403
    body = {"provider": "telegram", "setup": {"bot_token": "123456789:" + "a" * 35}}
    assert server.ask(token, "/connections", "POST", json=body).status_code == 403
    mia = server.house.sign_in("mia@example.org", PASSWORD)
    hers = app.tokens(mia, scope="connections:read connections:write audit:read")["access_token"]
    assert server.ask(hers).status_code == 200
    assert server.ask(hers, "/connections", "POST", json=body).status_code == 403, "no member can lend what only admins may"
    itself = app.for_itself(scope="connections:read").json()
    assert "refresh_token" not in itself and server.ask(itself["access_token"]).status_code == 200


def test_no_token_can_make_itself_a_longer_life(server):
    """A key or an app made with a token would outlive its revocation."""
    app = server.register(scopes=["api_keys:write", "oauth_apps:write", "connections:read"])
    token = app.tokens(scope="api_keys:write oauth_apps:write connections:read")["access_token"]
    key = server.ask(token, "/api-keys", "POST", json={"name": "x", "scopes": ["connections:read"]})
    made = server.ask(token, "/oauth-apps", "POST", json={"name": "x", "scopes": ["admin:*"], "redirect_uris": [CALLBACK]})
    if key.status_code == 201:
        wider = server.ask(token, "/api-keys", "POST", json={"name": "x", "scopes": ["audit:read"]})
        assert wider.status_code == 403, "never more than the token's own scopes"
    assert made.status_code in (403, 422), made.text


# --- refresh


def aged(server, seconds):
    """Has all that was refreshed so far be refreshed so many seconds earlier."""
    server.house.sql(
        "UPDATE oauth_refresh_tokens SET used_at = used_at - INTERVAL %s SECOND WHERE used_at IS NOT NULL", seconds)


def test_a_refresh_token_used_again_later_ends_the_family_and_the_owner_is_told(server, app):
    first = app.tokens()
    second = app.refresh(first["refresh_token"]).json()
    third = app.refresh(second["refresh_token"]).json()
    aged(server, 31)
    refused(app.refresh(first["refresh_token"]), "invalid_grant")
    dead(server, *(one["access_token"] for one in (first, second, third)))
    for one in (second, third):
        refused(app.refresh(one["refresh_token"]), "invalid_grant")
    events = server.house.sql("SELECT type FROM domain_events ORDER BY id DESC LIMIT 20")
    assert any("reus" in row["type"] for row in events), events
    audit = server.api.get("/audit-log?limit=20").text
    assert "reus" in audit
    for one in (first, second, third):
        assert one["refresh_token"] not in audit and one["access_token"] not in audit


def test_within_the_grace_the_same_successors_come_again(server, app):
    first = app.tokens()
    second = app.refresh(first["refresh_token"]).json()
    again = app.refresh(first["refresh_token"]).json()
    assert {name: again[name] for name in ("access_token", "refresh_token")} == {
        name: second[name] for name in ("access_token", "refresh_token")}
    assert server.ask(second["access_token"]).status_code == 200
    third = app.refresh(second["refresh_token"])
    assert third.status_code == 200, "nobody was punished for a lost answer"


def test_the_grace_is_for_the_app_itself(server, app, other):
    first = app.tokens()
    app.refresh(first["refresh_token"])
    refused(other.refresh(first["refresh_token"]), "invalid_grant")


def test_scopes_cannot_grow_at_a_refresh(server, app):
    first = app.tokens(scope="connections:read")
    for scope in ("connections:read audit:read", "audit:read", "admin:*", "connections:*", "connections:write"):
        refused(app.refresh(first["refresh_token"], scope=scope), "invalid_scope")
    second = app.refresh(first["refresh_token"])
    assert second.status_code == 200, "a refused refresh uses nothing up"
    assert second.json().get("scope", "connections:read") == "connections:read"


def test_scopes_cannot_grow_at_the_code(server, app):
    answer = app.redeem(app.code(scope="connections:read"), scope="connections:read audit:read")
    if answer.status_code == 200:
        assert server.ask(answer.json()["access_token"], "/audit-log").status_code == 403
    else:
        refused(answer, "invalid_scope")


def test_an_app_cannot_ask_for_what_it_was_not_made_for(server, app):
    for scope in ("connections:read api_keys:write", "admin:*", "connections:*", "*", "connections:read\tx", "no:such"):
        assert app.asks(scope=scope).outcome["error"] == "invalid_scope", scope
    if app.secret:
        refused(app.for_itself(scope="api_keys:write"), "invalid_scope")


def test_a_refresh_token_of_another_app_is_refused_and_stays(server, app, other):
    got = app.tokens()
    refused(other.refresh(got["refresh_token"]), "invalid_grant")
    refused(app.refresh(got["refresh_token"] + "A"), "invalid_grant")
    assert app.refresh(got["refresh_token"]).status_code == 200, "a stranger's attempt takes nothing from its owner"


# --- clients


def test_an_app_is_not_let_in_by_the_secret_of_another(server, other):
    mine = server.register()
    code = mine.code()
    for auth in ((mine.client_id, other.secret), (mine.client_id, ""), (mine.client_id, mine.secret[:-1]),
                 (mine.client_id, mine.secret + "x"), (mine.client_id, mine.secret.swapcase()), ("", mine.secret),
                 (other.client_id, mine.secret), (mine.client_id.upper(), mine.secret)):
        answer = mine.redeem(code, auth=auth)
        refused(answer, "invalid_client", 401)
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    refused(mine.redeem(code, auth=None, client_id=mine.client_id, client_secret=other.secret), "invalid_client", 401)
    refused(mine.redeem(code, auth="none"), "invalid_client", 401)
    assert mine.redeem(code).status_code == 200, "no attempt used the code up"


def test_a_public_app_has_no_secret_and_no_life_of_its_own(server):
    public = server.register(confidential=False)
    assert not public.secret
    assert public.for_itself().json()["error"] in ("unauthorized_client", "invalid_client")
    assert public.for_itself(auth=(public.client_id, "guess")).json()["error"] in ("invalid_client", "unauthorized_client")


def test_two_ways_to_say_who_one_is_are_refused(server, app, other):
    if not app.secret:
        return
    code = app.code()
    refused(app.redeem(code, auth="basic", client_id=app.client_id, client_secret=app.secret), "invalid_request")
    assert app.redeem(code, auth="basic", client_id=other.client_id).status_code in (400, 401)
    # What names the same app again is no second way.
    assert app.redeem(code, auth="basic", client_id=app.client_id).status_code == 200


def test_credentials_and_codes_in_the_address_are_refused(server, app):
    code = app.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri, "code_verifier": VERIFIER,
            "client_id": app.client_id, **({"client_secret": app.secret} if app.secret else {})}
    url = server.endpoint("token")
    for name in form:
        body = {key: value for key, value in form.items() if key != name}
        answer = requests.post(url, params={name: form[name]}, data=body, timeout=30)
        assert answer.status_code in (400, 401), (name, answer.text)
        assert answer.json()["error"] in ("invalid_request", "invalid_client")
        assert "access_token" not in answer.json()
    assert requests.post(url, data=form, timeout=30).status_code == 200


# --- parameters


@pytest.mark.parametrize("name", [
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"])
def test_a_parameter_twice_is_refused_at_the_authorization_endpoint(app, name):
    sent = parameters(app.url())
    for value in (sent[name], "other"):
        for url in (app.url() + f"&{name}=" + urllib.parse.quote(value, safe=""),
                    app.url().replace("?", f"?{name}={urllib.parse.quote(value, safe='')}&", 1)):
            seen = visit(app.server.person, url)
            if name in ("client_id", "redirect_uri"):
                stays(seen)
            else:
                assert seen.outcome["error"] == "invalid_request", (url, seen.outcome)
                assert seen.left.startswith(CALLBACK)


@pytest.mark.parametrize("name", ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "scope"])
def test_a_parameter_twice_is_refused_at_the_token_endpoint(app, name):
    form = {"grant_type": "authorization_code", "code": app.code(), "redirect_uri": app.redirect_uri,
            "code_verifier": VERIFIER, "client_id": app.client_id, "client_secret": app.secret, "scope": "connections:read"}
    form = {key: value for key, value in form.items() if value}
    if name not in form:
        return
    good = urllib.parse.urlencode(form)
    for value in (form[name], "other"):
        for body in (f"{good}&{urllib.parse.urlencode({name: value})}", f"{urllib.parse.urlencode({name: value})}&{good}"):
            refused(app.post("token", body, auth=None), "invalid_request")


@pytest.mark.parametrize("extra", [
    "&client_id[]=other", "&redirect_uri%5B%5D=https://evil.example/", "&redirect%5Furi=https://evil.example/",
    "&%63lient_id=other", ";redirect_uri=https://evil.example/"])
def test_a_polluted_query_leads_nowhere_else(app, extra):
    """However one reader of the query takes it, no other reader takes it differently: it is refused, or it means the same."""
    seen = visit(app.server.person, app.url(prompt="consent") + extra)
    if seen.left:
        assert seen.left.startswith(CALLBACK + "?error="), seen.left
    elif seen.answer.status_code == 200:
        assert seen.press(YES).left.startswith(CALLBACK + "?code=")
    else:
        stays(seen)


def test_request_objects_are_not_taken_for_requests(app):
    assert app.asks(request="eyJhbGciOiJub25lIn0.e30.").outcome["error"] in ("request_not_supported", "invalid_request")
    seen = app.asks(request_uri="https://evil.example/request.jwt")
    assert seen.left is None, "what it names is nobody's"


@pytest.mark.parametrize("endpoint", ["token", "revocation", "introspection"])
def test_bodies_that_are_no_forms_get_415_and_a_sentence(server, other, endpoint):
    for kind, body in (("application/json", b'{"grant_type":"client_credentials"}'),
                       ("text/plain", b"grant_type=client_credentials"), ("multipart/form-data; boundary=x", b"--x--")):
        answer = other.post(endpoint, body, auth=(other.client_id, other.secret), headers={"Content-Type": kind})
        assert answer.status_code == 415, answer.text
        assert "application/x-www-form-urlencoded" in answer.json()["error_description"]


@pytest.mark.parametrize("endpoint", ["token", "revocation", "introspection"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_nothing_but_a_post_is_taken(server, endpoint, method):
    answer = requests.request(method, server.endpoint(endpoint), params={"grant_type": "client_credentials"}, timeout=30)
    assert answer.status_code == 405 and set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


@pytest.mark.parametrize("body", [
    b"", b"&&&", b"grant_type", b"grant_type=%", b"grant_type=%zz", b"grant_type=\xff\xfe", b"grant_type=client_credentials%00",
    b"=x", b"a=b&" * 5000, b"grant_type=" + b"x" * 100_000])
def test_broken_forms_are_refused_calmly(server, other, body):
    answer = other.post("token", body, auth=(other.client_id, other.secret))
    assert answer.status_code in (400, 413), answer.text
    if answer.status_code == 400:
        assert answer.json()["error"] in ("invalid_request", "unsupported_grant_type")


# --- what must not be there


@pytest.mark.parametrize("kind", ["token", "id_token", "code token", "none", "Code", "code code", ""])
def test_no_implicit_grant(app, kind):
    outcome = app.asks(response_type=kind).outcome
    assert outcome["error"] == ("unsupported_response_type" if kind else "invalid_request")
    assert "access_token" not in outcome and "#" not in app.asks(response_type=kind).left


@pytest.mark.parametrize("kind", [
    "password", "implicit", "Authorization_Code", "urn:ietf:params:oauth:grant-type:saml2-bearer"])
def test_no_password_grant(app, kind):
    refused(app.post("token", {"grant_type": kind, "username": OWNER[0], "password": OWNER[1]}), "unsupported_grant_type")


# --- ends


def test_tokens_end_with_whoever_or_whatever_they_were_given_by(server):
    def living():
        one = server.register()
        return one, one.tokens()

    removed, got = living()
    assert server.api.delete(f"/oauth-apps/{removed.id}").status_code == 204
    dead(server, got["access_token"])
    refused(removed.refresh(got["refresh_token"]), "invalid_client", 401)

    disabled, got = living()
    server.api.post(f"/oauth-apps/{disabled.id}/disable")
    dead(server, got["access_token"])
    refused(disabled.refresh(got["refresh_token"]), "invalid_client", 401)
    stays(disabled.asks())

    rolled, got = living()
    old = rolled.secret
    rolled.secret = server.api.post(f"/oauth-apps/{rolled.id}/roll-secret", {"grace_seconds": 0}).json()["client_secret"]
    refused(rolled.for_itself(auth=(rolled.client_id, old)), "invalid_client", 401)
    assert rolled.for_itself().status_code == 200 and server.ask(got["access_token"]).status_code == 200


@pytest.mark.parametrize("how", ["password", "disabled", "left"])
def test_tokens_end_with_the_account(server, how):
    """Told from elsewhere: by the command line, or by another host in the database alone, within seconds."""
    house, email = server.house, f"leaver-{how}@example.org"
    house.create_user(email, PASSWORD, org="Example", role="member")
    app = server.register()
    got = app.tokens(house.sign_in(email, PASSWORD))
    assert {server.ask(got["access_token"]).status_code for _ in range(8)} == {200}
    if how == "password":
        house.hub("user", "password", "--email", email, input="another correct horse\n")
    elif how == "disabled":
        house.sql("UPDATE users SET disabled_at = UTC_TIMESTAMP(6) WHERE email = %s", email)
    else:
        house.sql("DELETE m FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = %s", email)
    if how != "password":
        house.sql("UPDATE generations SET value = value + 1 WHERE name IN ('api_keys', 'oauth')")
    until(lambda: {server.ask(got["access_token"]).status_code for _ in range(12)} == {401}, 10, "the end of the token")
    refused(app.refresh(got["refresh_token"]), "invalid_grant")
    assert app.introspects(got["access_token"]) == {"active": False}


def test_secrets_are_shown_once_and_lie_nowhere(server):
    app = server.register()
    code = app.code()
    got = app.redeem(code).json()
    itself = app.for_itself().json()["access_token"]
    waiting = app.code()
    held = [app.secret, code, waiting, got["access_token"], got["refresh_token"], itself]
    for secret in held:
        assert len(secret) >= 43 and len(set(secret)) > 15
    assert find(held, server.house.dump()) == []
    for path in server.house.folder.rglob("*.log"):
        assert find(held, path.read_bytes()) == [], path
    for path in (f"/oauth-apps/{app.id}", "/oauth-apps?limit=200", f"/oauth-apps/{app.id}/tokens"):
        assert find(held, server.api.get(path).content) == []
    assert find(held, server.person.get("/audit-log").content) == []
    # That they were given is in the log all the same, with whom they were given to.
    given = [line for line in server.house.log() if app.client_id in str(line) and "tokens were given" in str(line)]
    assert {line["grant_type"] for line in given} == {"authorization_code", "client_credentials"}, given


def test_guessing_is_made_slow(make_house):
    """RFC 6749 §2.3.1, §10.10: whoever guesses secrets or tokens is told to wait."""
    house = make_house(settings={"HUB_GUESSES_PER_MINUTE": 20})
    server = Server(house)
    app = server.register()
    form = {"grant_type": "client_credentials", "token": "x"}
    for endpoint in ("token", "introspection", "revocation"):
        answers = [app.post(endpoint, form, auth=(app.client_id, f"guess-{number}")) for number in range(60)]
        assert {answer.status_code for answer in answers} <= {401, 429}
        assert answers[-1].status_code == 429, endpoint
        assert int(answers[-1].headers["Retry-After"]) > 0


def test_an_app_that_is_not_told_keeps_nothing_for_long(server, app):
    """Codes that nobody redeems, and requests that nobody decides, are gone after their time."""
    code = app.code()
    asked = app.asks(prompt="consent")
    server.house.sql("UPDATE oauth_codes SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    server.house.sql("UPDATE oauth_requests SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    refused(app.redeem(code), "invalid_grant")
    late = asked.press(YES)
    assert late.left is None and late.answer.status_code >= 400


def test_a_frame_shows_nothing(server, browser, other):
    """Clickjacking, by the browser's own judgment."""
    asked = other.url(prompt="consent")
    body = f'<iframe id="f" src="{html.escape(asked)}"></iframe>'.encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    evil = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=evil.serve_forever, daemon=True).start()
    try:
        browser.open(server.house.url("/sign-in"))
        browser.fill(email=OWNER[0], password=OWNER[1]).press("Sign in")
        browser.wait(lambda: "/sign-in" not in browser.path)
        browser.open(f"http://127.0.0.1:{evil.server_port}/")
        until(lambda: any("frame" in line.lower() for line in browser.console()), 30, "the browser's refusal")
    finally:
        evil.shutdown()
        evil.server_close()

