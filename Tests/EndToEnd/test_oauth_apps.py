"""Apps, from their making to their end, by scripts and by forms; what people have let them do; and the tokens at the gate."""

import concurrent.futures
import re
import urllib.parse

import pytest
import requests

from ecosystem import CALLBACK, SETTINGS, YES, App, Server, furnish, refused, visit
from house import until
from test_gate import assert_denied, gated, get

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def server(database_template, tmp_path_factory):
    house, made = furnish(tmp_path_factory.mktemp("apps") / "house", workers=2)
    house.create_user("mia@example.org", PASSWORD, org="Example", role="member")
    yield made
    house.stop()


def test_an_app_lives_by_scripts(server):
    answer = server.registered(
        name="Ledger", description="Books what was sold", redirect_uris=[CALLBACK, "http://127.0.0.1/cb"],
        website_url="https://ledger.example/", privacy_policy_url="https://ledger.example/privacy")
    assert answer.status_code == 201 and answer.headers["Cache-Control"] == "no-store"
    made, api = answer.json(), server.api
    path = f"/oauth-apps/{made['id']}"
    assert answer.headers["Location"].endswith(path)
    assert (made["name"], made["redirect_uris"], made["confidential"]) == ("Ledger", [CALLBACK, "http://127.0.0.1/cb"], True)
    assert set(made["scopes"]) == {"connections:read", "audit:read"} and made["client_secret"] and made["client_id"]
    shown = api.get(path)
    assert shown.status_code == 200 and made["client_secret"] not in shown.text, "shown once"
    assert made["id"] in {one["id"] for one in api.get("/oauth-apps?limit=200").json()["data"]}
    changed = api.patch(path, {"name": "Ledger 2", "redirect_uris": [CALLBACK]}, headers={"If-Match": shown.headers["ETag"]})
    assert changed.status_code == 200 and changed.json()["name"] == "Ledger 2"
    assert api.patch(path, {"name": "x"}, headers={"If-Match": shown.headers["ETag"]}).status_code == 412
    assert api.patch(path, {"unheard_of": 1}).status_code == 422
    assert api.post(f"{path}/disable").status_code == 200
    app = App(server, made)
    refused(app.for_itself(), "invalid_client", 401)
    assert api.post(f"{path}/enable").status_code == 200
    assert app.for_itself().status_code == 200
    token = app.tokens()["access_token"]
    listed = api.get(f"{path}/tokens").json()["data"]
    assert listed and not any(token in str(one) for one in listed)
    ended = server.ask(token)
    assert ended.status_code == 200
    for one in listed:
        assert api.delete(f"/oauth-tokens/{one['id']}").status_code == 204
    assert {server.ask(token).status_code for _ in range(8)} == {401}
    assert api.delete(f"/oauth-tokens/{listed[0]['id']}").status_code in (204, 404)
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    refused(app.for_itself(), "invalid_client", 401)
    types = [row["type"] for row in server.house.sql(
        "SELECT type FROM domain_events WHERE object_id = UNHEX(REPLACE(%s, '-', '')) ORDER BY id", made["id"])]
    assert [one for one in types if "consent" not in one and "token" not in one] == [
        "oauth_app.created", "oauth_app.updated", "oauth_app.disabled", "oauth_app.enabled", "oauth_app.deleted"]


@pytest.mark.parametrize("change", [
    {"name": ""}, {"name": "x" * 200}, {"name": None}, {"scopes": ["no scope"]}, {"scopes": []},
    {"scopes": ["connections:read\n"]},
    {"website_url": "ftp://x/"}, {"privacy_policy_url": "x"}, {"redirect_uris": CALLBACK},
    {"redirect_uris": [f"https://app.example/{n}" for n in range(200)]}, {"confidential": "yes"}, {"client_id": "chosen"},
    {"rate_limit": {"requests_per_minute": 0}}], ids=str)
def test_what_an_app_cannot_be_is_refused_by_name(server, change):
    answer = server.registered(**change)
    assert answer.status_code == 422, answer.text
    assert next(iter(change)).split(".")[0] in str(answer.json()["errors"])


def test_five_apps_for_each_and_no_more(make_house):
    house = make_house()
    key = house.create_key("admin:*", name="parent")

    def make(number):
        return requests.post(
            house.url("/api/v1/oauth-apps"), headers={"Authorization": f"Bearer {key}"}, timeout=30,
            json={"name": f"a{number}", "redirect_uris": [CALLBACK], "scopes": ["connections:read"], "confidential": True})

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(make, range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 15
    one = next(answer.json() for answer in answers if answer.status_code == 201)
    assert house.api(key).delete(f"/oauth-apps/{one['id']}").status_code == 204
    assert make(21).status_code == 201, "a deleted one makes room"


def test_a_secret_is_rolled_with_an_overlap(server):
    app = server.register()
    old = app.secret
    rolled = server.api.post(f"/oauth-apps/{app.id}/roll-secret", {"grace_seconds": 3600})
    assert rolled.status_code == 200 and rolled.headers["Cache-Control"] == "no-store"
    app.secret = rolled.json()["client_secret"]
    assert app.secret != old
    assert app.for_itself().status_code == 200 and app.for_itself(auth=(app.client_id, old)).status_code == 200
    server.house.sql("UPDATE oauth_apps SET previous_ends_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    server.api.patch(f"/oauth-apps/{app.id}", {"description": "so that it is read anew"})
    refused(app.for_itself(auth=(app.client_id, old)), "invalid_client", 401)
    assert app.for_itself().status_code == 200


def test_an_app_of_another_organization_is_not_there(server):
    server.house.create_user("ana@globex.example", PASSWORD, org="Globex")
    app = server.register()
    theirs = server.house.api(server.house.create_key("admin:*", org="Globex"))
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/roll-secret"), ("GET", "/tokens")):
        answer = theirs(method, f"/oauth-apps/{app.id}{path}", json={} if method != "GET" else None)
        assert answer.status_code == 404, (method, path, answer.text)
    app.tokens()
    for one in server.api.get(f"/oauth-apps/{app.id}/tokens").json()["data"]:
        assert theirs.delete(f"/oauth-tokens/{one['id']}").status_code == 404


def test_an_app_lives_by_forms_alone(server):
    person = server.house.sign_in()
    form = visit(person, server.house.url("/oauth-apps/new"))
    page = form.press("Create app", name="By form", redirect_uris=CALLBACK, scopes="connections:read").answer
    assert page.status_code == 200, page.text[:2000]
    secret = re.search(r"hub_cs_\w+", page.text)[0]
    client_id = re.search(r"app_\w{22}", page.text)[0]
    path = re.search(r'href="[^"]*(/oauth-apps/[0-9a-f-]{36})"', page.text)[1]
    detail = person.get(path).text
    assert secret not in detail and client_id in detail
    app = App(server, {
        "id": path.rpartition("/")[2], "client_id": client_id, "client_secret": secret, "redirect_uris": [CALLBACK]})
    assert app.for_itself(scope="connections:read").status_code == 200
    again = visit(person, server.house.url("/oauth-apps/new"))
    refusal = again.press("Create app", name="Bad", redirect_uris="http://app.example/x", scopes="connections:read").answer
    assert refusal.status_code == 422 and "http://app.example/x" in refusal.text, "kept as typed"


def test_a_persons_page_of_apps_tells_and_takes_back(server):
    app = server.register(name="Calendar of mine")
    mia = server.house.sign_in("mia@example.org", PASSWORD)
    got = app.tokens(mia)
    assert server.ask(got["access_token"]).status_code == 200
    page = mia.get("/apps")
    assert page.status_code == 200 and "Calendar of mine" in page.text
    assert "Calendar of mine" not in server.house.sign_in().get("/apps").text, "each sees their own"
    until(lambda: server.house.sql("SELECT 1 FROM oauth_grants WHERE last_used_at IS NOT NULL"), 30, "the note of its use")
    seen = visit(mia, server.house.url("/apps"))
    seen.press("Take access back")
    assert {server.ask(got["access_token"]).status_code for _ in range(8)} == {401}
    refused(app.refresh(got["refresh_token"]), "invalid_grant")
    assert "Calendar of mine" not in mia.get("/apps").text
    assert app.asks(mia).left is None, "the consent is gone too"


def test_an_app_has_limits_of_its_own(server):
    app = server.register(rate_limit={"requests_per_minute": 5, "requests_per_hour": 1000, "requests_per_day": 1000})
    token, other = app.for_itself().json()["access_token"], app.for_itself().json()["access_token"]
    answers = [server.ask(token if n % 2 else other) for n in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert int(answers[-1].headers["Retry-After"]) > 0 and "RateLimit" in answers[0].headers


def test_the_request_log_knows_the_app(server):
    app = server.register(name="Logged")
    answer = server.ask(app.tokens()["access_token"])
    answers = {answer.headers["X-Request-Id"], server.ask(app.for_itself().json()["access_token"]).headers["X-Request-Id"]}
    query = "/request-logs?" + urllib.parse.urlencode({"oauth_app_id": app.id})
    until(lambda: {line["request_id"] for line in server.api.get(query).json()["data"]} == answers, 30, "its lines")


def test_access_tokens_at_the_gate(make_house, tmp_path):
    with gated(make_house, tmp_path, settings=SETTINGS) as (house, upstream):
        server = Server(house)
        app = server.register(scopes=["items:read", "items:write"])
        itself = app.for_itself(scope="items:read").json()["access_token"]
        theirs = app.tokens(scope="items:read")["access_token"]
        for token in (itself, theirs):
            assert get(house, "/files/one.txt", token).text == "one"
            assert_denied(get(house, "/app/things", token, method="POST"), 403, "insufficient_scope")
        assert get(house, "/app/things", itself).status_code == 200
        headers = dict(upstream.seen[-1]["headers"])
        assert headers["X-Hub-Scopes"] == "items:read" and headers["X-Hub-Org-Id"]
        assert app.revokes(itself).status_code == 200
        assert {get(house, "/files/one.txt", itself).status_code for _ in range(12)} == {401}
        assert_denied(get(house, "/files/one.txt", itself), 401, "invalid_credential")
        for one in server.api.get(f"/oauth-apps/{app.id}/tokens").json()["data"]:
            server.api.delete(f"/oauth-tokens/{one['id']}")
        assert {get(house, "/files/one.txt", theirs).status_code for _ in range(12)} == {401}


def test_programs_register_themselves_only_where_they_may(make_house, server):
    body = {"client_name": "Self made", "redirect_uris": [CALLBACK], "scope": "connections:read",
            "token_endpoint_auth_method": "client_secret_basic", "grant_types": ["authorization_code", "refresh_token"]}
    off = requests.post(server.house.url("/oauth/register"), json=body, timeout=30,
                        headers={"Authorization": f"Bearer {server.house.create_key(org='Example')}"})
    assert off.status_code in (403, 404), off.text
    house = make_house(settings={**SETTINGS, "HUB_OAUTH_REGISTRATION": "yes"})
    open_server = Server(house)
    url = open_server.endpoint("registration")
    assert requests.post(url, json=body, timeout=30).status_code == 401
    narrow = {"Authorization": f"Bearer {house.create_key('connections:read')}"}
    assert requests.post(url, json=body, headers=narrow, timeout=30).status_code == 403
    initial = {"Authorization": f"Bearer {house.create_key('oauth_apps:write', 'connections:read')}"}
    bad = requests.post(url, json={**body, "redirect_uris": ["http://evil.example/"]}, headers=initial, timeout=30)
    refused(bad, "invalid_redirect_uri")
    made = requests.post(url, json=body, headers=initial, timeout=30)
    assert made.status_code == 201 and "no-store" in made.headers["Cache-Control"], made.text
    registered = made.json()
    assert registered["client_name"] == "Self made" and registered["client_secret_expires_at"] == 0
    app = App(open_server, {**registered, "id": None})
    seen = app.asks()
    assert seen.left is None and "Self made" in seen.text
    token = app.redeem(seen.press(YES).outcome["code"]).json()
    assert open_server.ask(token["access_token"]).status_code == 200
    assert app.asks().left is None, "who registered itself is asked about each time"
    own = {"Authorization": f"Bearer {registered['registration_access_token']}"}
    assert requests.get(registered["registration_client_uri"], headers=own, timeout=30).json()["client_id"] == app.client_id
    assert requests.get(registered["registration_client_uri"], headers=initial, timeout=30).status_code in (401, 403)
    assert requests.delete(registered["registration_client_uri"], headers=own, timeout=30).status_code == 204
    assert {open_server.ask(token["access_token"]).status_code for _ in range(8)} == {401}


def test_what_is_over_is_purged(make_house):
    house = make_house(settings=SETTINGS)
    server = Server(house)
    app = server.register()
    got = app.tokens()
    app.for_itself()
    app.code()
    app.asks(prompt="consent")
    living = len(house.sql("SELECT 1 FROM oauth_access_tokens")) - 1
    # As if they were of 2022, when the ids of that time begin.
    for table in ("oauth_codes", "oauth_access_tokens"):
        house.sql(f"UPDATE {table} SET id = CONCAT(UNHEX('018000000000'), SUBSTR(id, 7)), expires_at = '2022-04-06'"
                  " ORDER BY id DESC LIMIT 1")
    house.sql("UPDATE oauth_requests SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    until(lambda: not house.sql("SELECT 1 FROM oauth_requests"), 90, "the purge of requests")
    until(lambda: not house.sql("SELECT 1 FROM oauth_codes WHERE expires_at < '2023-01-01'"), 90, "the purge of codes")
    until(lambda: len(house.sql("SELECT 1 FROM oauth_access_tokens")) == living, 90, "the purge of tokens")
    assert server.ask(got["access_token"]).status_code == 200, "what lives stays"
    assert app.refresh(got["refresh_token"]).status_code == 200
