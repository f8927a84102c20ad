"""Every service of the catalogue where people sign in, through every step: connect, refresh, expiry, revoke, and what must
not connect: denied, wrong state, replayed code, mixed-up issuer.

The list is the provider files themselves, so that none can be forgotten. Each is played by Authlib's server in the dialect
that its service documents (dialects.py), which refuses whatever the service refuses.
"""

import urllib.parse

import pytest
import requests

from dialects import Dialect
from stage import (
    DIALECTS, SECRET, Stage, catalogue, changed, client_of, come_back, decide, flashes, leave, parts, resigned)

FILES = catalogue()
DAY = 86_400


def exchange(key):
    return FILES[key]["oauth"].get("exchange", "standard")


# What can be renewed, be it that it renews itself; a key is valid until it is deleted.
RENEWED = [key for key in FILES if exchange(key) != "key"]
WITH_REFRESH_TOKENS = [key for key in FILES if exchange(key) == "standard"]
# Where an answer may come without anything to renew it with.
FOREVER = [key for key in FILES if exchange(key) != "long_lived"]
# Of which it is said when they end.
ENDING = [key for key in RENEWED if DIALECTS.get(key, Dialect).lifetime]


@pytest.fixture(scope="module")
def stage(database_template, tmp_path_factory):
    made = Stage(tmp_path_factory.mktemp("catalogue"))
    made.person, made.stranger = made.house.sign_in(), made.house.sign_in()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def fresh(stage):
    stage.reset()
    yield
    api = stage.house.api()
    for connection in api.get("/connections").json()["data"]:
        api.delete(f"/connections/{connection['id']}")


def every(keys=FILES):
    return pytest.mark.parametrize("key", sorted(keys))


def counts(stage):
    """How often each service was asked for tokens, in any way."""
    return {key: sum(played.calls[name] for name in ("token", "refresh", "lengthen")) for key, played in stage.played.items()}


def lent(stage, connection):
    """The access token as a program gets it, or the problem that it gets instead."""
    answer = stage.house.api().get(f"/connections/{connection}/credentials")
    body = answer.json()
    return body["credentials"]["access_token"] if answer.ok else {name: body[name] for name in ("code", "detail")}


def newest(stage, key):
    return stage.played[key].tokens[-1].access_token


def ended(stage, key):
    """The service ends the whole grant, as when the person takes it back there."""
    played = stage.played[key]
    played.revoke_all_of(played.tokens[-1])


def test_the_list_is_the_hubs_own(stage):
    listed = stage.house.api().get("/providers").json()["data"]
    assert {one["key"] for one in listed if one["oauth"]} == set(FILES)


# --- connect


@every()
def test_connect(stage, key):
    connection, oauth, played = stage.connection(key, "every"), FILES[key]["oauth"], stage.played[key]
    url = leave(stage.person, connection)
    asked = parts(url)
    redirect = asked[oauth.get("redirect_parameter", "redirect_uri")]
    own = f"/{connection}" if oauth["authorize"].startswith("{") else ""
    assert redirect.partition("?")[0] == stage.house.url(f"/connections/callback/{key}{own}")
    state = asked.get("state") or parts(redirect)["state"]
    assert len(state) == 43, "256 bits"
    assert ("code_challenge" in asked) == oauth.get("pkce", True)
    if exchange(key) != "key":
        assert (asked["response_type"], asked["client_id"]) == ("code", client_of(FILES[key])[0])
        separator = oauth.get("scope_separator", " ")
        assert asked.get(oauth.get("scope_parameter", "scope"), "").split(separator) == oauth.get("scopes", [""])
    for name, value in oauth.get("authorize_parameters", {}).items():
        assert asked[name] == value
    assert stage.state(connection)["status"] == "disconnected" and lent(stage, connection)["code"] == "not_connected"
    text = come_back(stage.person, decide(stage, url))
    assert "connected." in text, flashes(text)
    state = stage.state(connection)
    assert stage.works(connection) and state["authorized_at"] and state["scopes"]["missing"] == []
    assert lent(stage, connection) == newest(stage, key) and played.alive(newest(stage, key))
    assert SECRET not in text and newest(stage, key) not in text
    # What is known to end is said to end.
    assert bool(state["expires_at"]) == (played.lifetime is not None)
    assert bool(state["grant_ends_at"]) == bool(oauth.get("grant_lifetime") or key == "github")
    facts = {fact["label"] for fact in state["metadata"]}
    assert facts, "it is known whose access it is"


# --- what must not connect


@every()
def test_denied(stage, key):
    connection, before = stage.connection(key, "every"), counts(stage)
    text = come_back(stage.person, decide(stage, leave(stage.person, connection), "deny"))
    assert "Access denied" in text and "Connect again and allow it" in text, flashes(text)
    state = stage.state(connection)
    assert state["status"] == "disconnected" and state["status_detail"].startswith("Access denied")
    assert counts(stage) == before and stage.stored(connection)["tokens"] is None


@every()
def test_wrong_state(stage, key):
    connection, before = stage.connection(key, "every"), counts(stage)
    good = decide(stage, leave(stage.person, connection))
    assert "does not say which sign-in" in come_back(stage.person, changed(good, state=None))
    assert "unknown or ended" in come_back(stage.person, changed(good, state="B" * 43))
    assert "another session" in come_back(stage.stranger, good)
    nobody = requests.get(good, timeout=10, allow_redirects=False)
    assert nobody.status_code == 303 and "code" not in nobody.headers["location"]
    # Longer ago than ten minutes.
    stage.house.sql("UPDATE authorization_flows SET expires_at = UTC_TIMESTAMP(6)")
    assert "longer than ten minutes" in come_back(stage.person, good)
    assert counts(stage) == before and stage.state(connection)["status"] == "disconnected"
    assert stage.stored(connection)["tokens"] is None


@every()
def test_replayed_code(stage, key):
    connection = stage.connection(key, "every")
    location = decide(stage, leave(stage.person, connection))
    played = stage.played[key]
    assert "connected." in come_back(stage.person, location)
    after, stored = counts(stage), stage.stored(connection)
    for person in (stage.person, stage.stranger):
        text = come_back(person, location)
        assert "was used already" in text or person is stage.stranger and "another session" in text, flashes(text)
    assert counts(stage) == after and stage.stored(connection) == stored
    # A fresh state with the old code reaches the service, which refuses it: what worked before still works.
    url = leave(stage.person, connection)
    fresh = parts(url).get("state") or parts(parts(url)["callback_url"])["state"]
    text = come_back(stage.person, resigned(stage, key, changed(location, state=fresh)))
    assert "Invalid grant" in text, flashes(text)
    assert played.calls["token"] and stage.stored(connection)["tokens"] == stored["tokens"]
    assert stage.works(connection) and lent(stage, connection) == newest(stage, key)


@every()
def test_mixed_up_issuer(stage, key):
    own = FILES[key]["oauth"].get("issuer", "")
    # Where the set-up has a place for it, with and without one in it.
    setups = [({}, None), ({"issuer": "https://login.own.example"}, "https://login.own.example")] if own.startswith("{") \
        else [({}, own or None)]
    other = "https://login.evil.example" if own else "https://accounts.google.com"
    for number, (setup, issuer) in enumerate(setups):
        connection, before = stage.connection(key, f"every{number}", **setup), counts(stage)
        for decision in ("allow", "deny"):
            for iss in (other, "nonsense", other + "/" + (issuer or "")):
                answer = decide(stage, leave(stage.person, connection), decision)
                text = come_back(stage.person, resigned(stage, key, changed(answer, iss=iss)) if decision == "allow" else
                                 changed(answer, iss=iss))
                assert "does not come from" in text, (iss, flashes(text))
        assert counts(stage) == before and stage.state(connection)["status"] == "disconnected"
        # Its own is no objection, nor is one of the server where people sign in, by a service that never told of any.
        answer = decide(stage, leave(stage.person, connection))
        honest = issuer or stage.played[key].origins[0] + "/issuer"
        text = come_back(stage.person, resigned(stage, key, changed(answer, iss=honest)))
        assert "connected." in text, flashes(text)


@every()
def test_an_answer_of_another_service(stage, key):
    """Mix-up, COAT and CORF: a code goes to no service but the one that the sign-in was begun at."""
    other = "slack" if key != "slack" else "hubspot"
    mine, theirs, before = stage.connection(key, "every"), stage.connection(other, "every"), counts(stage)

    def callback_of(url):
        return (parts(url).get("redirect_uri") or parts(url)["callback_url"]).partition("?")[0]

    for one, two in ((mine, theirs), (theirs, mine)):
        here, there = leave(stage.person, one), leave(stage.person, two)
        answer = decide(stage, there)
        wrong = callback_of(here) + "?" + urllib.parse.urlsplit(answer).query
        text = come_back(stage.person, wrong)
        assert "address of another service" in text, flashes(text)
    assert counts(stage) == before
    assert {stage.state(one)["status"] for one in (mine, theirs)} == {"disconnected"}
    # The other's code with a state of this sign-in: where the other says who it is, this is seen before anybody is asked.
    answer = decide(stage, leave(stage.person, theirs))
    url = leave(stage.person, mine)
    state = parts(url).get("state") or parts(parts(url)["callback_url"])["state"]
    mixed = callback_of(url) + "?" + urllib.parse.urlencode(
        {"code": parts(answer)["code"], "state": state, "iss": stage.played[other].origins[0]})
    text = come_back(stage.person, mixed)
    assert "does not come from" in text and counts(stage) == before, flashes(text)
    # Where it does not, this service refuses what it never gave.
    url = leave(stage.person, mine)
    state = parts(url).get("state") or parts(parts(url)["callback_url"])["state"]
    mixed = callback_of(url) + "?" + urllib.parse.urlencode({"code": parts(answer)["code"], "state": state})
    text = come_back(stage.person, resigned(stage, key, mixed))
    assert "Invalid grant" in text, flashes(text)
    assert stage.stored(mine)["tokens"] is None


# --- refresh


@every(RENEWED)
def test_refresh(stage, key):
    connection, played = stage.connected(stage.person, key), stage.played[key]
    age = FILES[key]["oauth"].get("minimum_age", 0)
    if age:
        # It would be refused, and what works would be thought broken.
        refused = stage.house.api().post(f"/connections/{connection}/refresh")
        assert refused.status_code == 409 and refused.json()["code"] == "not_refreshable", refused.text
    tokens, before = [newest(stage, key)], played.calls["refresh"]
    for turn in (1, 2):
        # The second time with what the first one brought.
        stage.pass_time(key, connection, age + 60)
        answer = stage.house.api().post(f"/connections/{connection}/refresh")
        assert answer.status_code == 200, answer.text
        assert answer.json()["refreshed_at"] and stage.works(connection)
        tokens.append(lent(stage, connection))
        assert tokens[-1] == newest(stage, key) and tokens[-1] not in tokens[:-1] and played.alive(tokens[-1])
        assert played.calls["refresh"] == before + turn
    row = stage.stored(connection)
    assert row["refreshed_at"] and row["requested_scopes"] is not None
    assert stage.state(connection)["scopes"]["missing"] == [], "a renewal takes no permission away"


@every(FOREVER)
def test_no_refresh_token(stage, key):
    """A service that gives none, as some do for some apps: that is said, and ends in a new sign-in."""
    played = stage.played[key]
    played.drop_refresh_token = True
    connection, before = stage.connected(stage.person, key), played.calls["refresh"]
    answer = stage.house.api().post(f"/connections/{connection}/refresh")
    assert answer.status_code == 409 and answer.json()["code"] == "not_refreshable", answer.text
    assert "gave no refresh token" in answer.json()["detail"] and stage.works(connection)
    played.end_access()
    stage.pass_time(key, connection, 60)
    test = stage.house.api().post(f"/connections/{connection}/test").json()
    assert not test["ok"] and "Sign in again" in test["detail"], test
    assert needs_reauth(stage, connection).endswith("gave nothing to renew this sign-in with. Sign in again.")
    assert played.calls["refresh"] == before, "nobody is asked in vain"
    signed_in_again(stage, key, connection)


# --- expiry


@every(ENDING)
def test_an_access_token_that_has_ended_is_renewed_for_who_asks(stage, key):
    connection, played = stage.connected(stage.person, key), stage.played[key]
    before, old = played.calls["refresh"], newest(stage, key)
    if exchange(key) == "long_lived":
        # It renews itself as long as it lives: five of its sixty days are left.
        stage.pass_time(key, connection, 55 * DAY)
    else:
        stage.pass_time(key, connection, played.lifetime + 1)
        assert not played.alive(old)
    assert lent(stage, connection) == newest(stage, key) != old
    assert played.alive(newest(stage, key)) and played.calls["refresh"] == before + 1
    assert stage.works(connection)


@every(WITH_REFRESH_TOKENS)
def test_an_access_token_that_ends_before_its_time_is_renewed_once(stage, key):
    connection, played = stage.connected(stage.person, key), stage.played[key]
    before = played.calls["refresh"]
    played.end_access()
    stage.pass_time(key, connection, 60)
    test = stage.house.api().post(f"/connections/{connection}/test").json()
    assert test["ok"], test
    assert lent(stage, connection) == newest(stage, key) and played.calls["refresh"] == before + 1
    assert stage.works(connection)


@every(RENEWED)
def test_a_grant_that_has_ended_needs_a_person(stage, key):
    connection, played = stage.connected(stage.person, key), stage.played[key]
    ended(stage, key)
    stage.pass_time(key, connection, 60)
    if exchange(key) == "long_lived":
        stage.pass_time(key, connection, 61 * DAY)
    elif stage.state(connection)["expires_at"]:
        stage.pass_time(key, connection, played.lifetime)
    else:
        assert not stage.house.api().post(f"/connections/{connection}/test").json()["ok"]
    problem = lent(stage, connection)
    detail = needs_reauth(stage, connection)
    # Where nobody knows when it ends, an access token may outlive its refresh token.
    assert isinstance(problem, str) or problem == {"code": "needs_reauth", "detail": detail}
    assert isinstance(problem, dict) or stage.state(connection)["expires_at"] is None
    # The seed's words: what failed, why, and what to do.
    assert detail.startswith("Token refresh failed: Invalid grant: "), detail
    assert detail.endswith("Sign in again.")
    asked = played.calls["refresh"]
    assert lent(stage, connection) == problem and played.calls["refresh"] == asked, "nobody asks in vain"
    page = stage.person.get(f"/connections/{connection}").text
    assert "Token refresh failed" in page and "Reconnect" in page
    signed_in_again(stage, key, connection)


@every()
def test_a_grant_that_was_taken_back_is_found_by_a_test(stage, key):
    connection = stage.connected(stage.person, key)
    ended(stage, key)
    stage.pass_time(key, connection, FILES[key]["oauth"].get("minimum_age", 0) + 60)
    assert not stage.house.api().post(f"/connections/{connection}/test").json()["ok"]
    needs_reauth(stage, connection)
    signed_in_again(stage, key, connection)


def needs_reauth(stage, connection):
    """What is said of a connection that only a person can mend."""
    state = stage.state(connection)
    assert state["status"] == "needs_reauth" and not stage.works(connection), state
    return state["status_detail"]


def signed_in_again(stage, key, connection):
    text = come_back(stage.person, decide(stage, leave(stage.person, connection)))
    assert "connected." in text, flashes(text)
    assert stage.works(connection) and lent(stage, connection) == newest(stage, key)


# --- revoke


@every()
def test_revoke(stage, key):
    connection, played, api = stage.connected(stage.person, key), stage.played[key], stage.house.api()
    can = "revoke" in FILES[key]["oauth"]
    for deed in ("disconnect", "remove"):
        token, before = newest(stage, key), played.calls["revoke"]
        answer = api.post(f"/connections/{connection}/disconnect") if deed == "disconnect" else \
            api.delete(f"/connections/{connection}")
        told = answer.json()["revocation"]
        # At the service where it has a way, and here in any case.
        assert told["outcome"] == ("revoked" if can else "not_supported"), told
        assert can or "End it there" in told["detail"]
        assert played.alive(token) is not can and played.calls["revoke"] == before + can
        assert played.find(token).revoked is can, "the grant, and not the access token alone"
        assert stage.stored(connection)["tokens"] is None
        if deed == "disconnect":
            assert lent(stage, connection)["code"] == "not_connected"
            assert stage.state(connection)["status"] == "disconnected"
            signed_in_again(stage, key, connection)
    assert api.get(f"/connections/{connection}").status_code == 404


# --- what single services do besides


def test_slack_grants_a_persons_token_below_the_answers_top(stage, monkeypatch):
    monkeypatch.setattr(stage.played["slack"].dialect, "is_user", True)
    connection = stage.connected(stage.person, "slack")
    assert lent(stage, connection) == newest(stage, "slack") and stage.works(connection)


def test_microsoft_is_asked_at_the_tenants_own_address(stage):
    connection = stage.connection("microsoft", "every", tenant_id="contoso.example")
    url = leave(stage.person, connection)
    assert urllib.parse.urlsplit(url).path == "/contoso.example/oauth2/v2.0/authorize"
    assert "connected." in come_back(stage.person, decide(stage, url)) and stage.works(connection)
    assert stage.house.api().post(f"/connections/{connection}/refresh").status_code == 200
    [exchange, refresh] = stage.played["microsoft"].paths[-2:]
    assert exchange == refresh == "/contoso.example/oauth2/v2.0/token"


@pytest.mark.parametrize("how", ["basic", "body", "none"])
def test_a_service_of_ones_own_is_shown_the_client_as_the_set_up_says(stage, monkeypatch, how):
    played, secret = stage.played["custom_oauth2"], None if how == "none" else SECRET
    connection = stage.connection("custom_oauth2", how, client_authentication=how, client_secret=secret)
    client = played.clients[client_of(FILES["custom_oauth2"])[0]]
    monkeypatch.setattr(client, "client_secret", secret or "")
    monkeypatch.setattr(played.dialect, "requires_basic", how == "basic")
    text = come_back(stage.person, decide(stage, leave(stage.person, connection)))
    assert "connected." in text, flashes(text)
    form, headers = played.seen[-1]
    assert headers.get("authorization", "").startswith("Basic ") == (how == "basic")
    assert form.get("client_secret") == (secret if how == "body" else None)
    assert form.get("client_id") == (None if how == "basic" else client.client_id)
