"""Signing in at services: in a real browser for three of them, over requests for every one of the catalogue.

The authorization server is Authlib's (authserver.py); the browser reaches it under the services' own names.
"""

import json
import pathlib
import re
import signal
import urllib.parse

import pytest
import requests

from authserver import Airtable, AuthServer, Dialect, GitHub, Google, Notion, Shopify, Slack
from browser import Browser
from house import OWNER, House

PROVIDERS = pathlib.Path(__file__).parents[2] / "Sources" / "Connections" / "Providers"
CLIENT, SECRET = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"

# Services that write something differently than the standard; the others are played as their provider file describes.
DIALECTS = {
    "google": Google, "google_drive": Google, "google_calendar": Google, "shopify": Shopify, "slack": Slack,
    "notion": Notion, "github": GitHub, "airtable": Airtable,
}
# Two exchanges, or a key for a code: tested against what they document in Tests/ConnectionsTests.
OTHERS = {"instagram", "facebook", "openrouter"}
# What is typed; of several the first that the field's pattern takes.
TYPED = {
    "client_id": [CLIENT, "123456789012345678", "1234567.1234567", "00000000-1111-2222-3333-444444444444",
                  "ca_" + CLIENT],
    "client_secret": [SECRET, "sk_test_" + SECRET],
    "shop": ["acme"], "authorize_url": ["https://login.own.example/authorize"],
    "token_url": ["https://login.own.example/token"], "test_url": ["https://login.own.example/me"],
}


def catalogue():
    """Each provider file with a sign-in that Authlib's server can play."""
    files = {path.stem: json.loads(path.read_text()) for path in sorted(PROVIDERS.glob("*.json"))}
    return {key: file for key, file in files.items() if file.get("oauth") and key not in OTHERS}


def typed(file):
    """The set-up that a person types for a service."""
    setup = {}
    for field in file["fields"]:
        name, pattern = field["name"], re.compile(field.get("pattern", ".*"))
        is_needed = name in ("client_id", "client_secret") or (field.get("required") and "default" not in field)
        if is_needed and name != file["oauth"].get("own_token"):
            setup[name] = next(value for value in TYPED.get(name, ["123456789012"]) if pattern.fullmatch(value))
    return setup


def addresses(file):
    """The authorization address, the token address and the test's, holes filled."""
    values = {field["name"]: field.get("default", "") for field in file["fields"]} | typed(file)
    # Of several tests it is the one with the token of a sign-in.
    tests = file["test"] if isinstance(file["test"], list) else [file["test"]]
    test = next(test for test in tests if "{access_token}" in json.dumps(test))
    texts = file["oauth"]["authorize"], file["oauth"]["token"], test["url"]
    return [urllib.parse.urlsplit(re.sub(r"\{([a-z_]+)\}", lambda hole: values[hole[1]], text)) for text in texts]


class AsDescribed(Dialect):
    """A service as its provider file describes it."""

    def __init__(self, file):
        oauth, (authorize, token, _) = file["oauth"], addresses(file)
        self.authorize, self.token = (authorize.path,), (token.path,)
        self.takes_json = oauth.get("body") == "json"
        self.requires_basic = oauth.get("client_authentication") == "basic"
        self.requires_pkce = oauth.get("pkce", True)


class Stage:
    """A house beside an authorization server on which every service of the catalogue is played."""

    def __init__(self, folder):
        self.server = AuthServer(folder)
        self.played = {}
        for key, file in catalogue().items():
            origins = list(dict.fromkeys(f"{url.scheme}://{url.netloc}" for url in addresses(file)))
            shared = next((one for one in self.server.services if one.origins[0] == origins[0]), None)
            dialect = DIALECTS[key]() if key in DIALECTS else AsDescribed(file)
            self.played[key] = shared or self.server.service(dialect=dialect)
            self.played[key].origins += [origin for origin in origins if origin not in self.played[key].origins]
        self.played["google"].issuer = "https://accounts.google.com"
        self.house = House(folder, settings=self.server.settings(folder)).start()
        for key, file in catalogue().items():
            self.played[key].client(
                typed(file)["client_id"], typed(file)["client_secret"], *self.redirects(key))

    def redirects(self, key):
        """The address that is registered at the service; of a server that one connection names, the connection's own."""
        others = self.played[key].clients.values()
        known = [uri for client in others for uri in client.redirect_uris]
        return [*known, self.house.url(f"/connections/callback/{key}")]

    def stop(self):
        self.house.stop()
        self.server.stop()

    def reset(self):
        for played in self.played.values():
            played.grants = played.fail = None
            played.user = "ana@example.com"

    def connection(self, key, name="default"):
        return self.house.api().create(key, typed(catalogue()[key]), name)["id"]

    def works(self, connection):
        """Whether it can be used, be it that its service announced an end."""
        return self.house.api().get(f"/connections/{connection}/status").json()["connected"]

    def state(self, connection):
        return self.house.api().get(f"/connections/{connection}").json()


@pytest.fixture(scope="module")
def stage(database_template, tmp_path_factory):
    made = Stage(tmp_path_factory.mktemp("stage"))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def fresh(stage):
    stage.reset()
    remove_all(stage.house.api())


def remove_all(api):
    for connection in api.get("/connections").json()["data"]:
        if connection["name"] == "default":
            api.patch(f"/connections/{connection['id']}", {"name": "to-be-removed"})
        api.delete(f"/connections/{connection['id']}")


@pytest.fixture(scope="module")
def window(stage):
    made = Browser(arguments=stage.server.browser_arguments())
    made.open(stage.house.url("/sign-in")).fill(email=OWNER[0], password=OWNER[1]).press("sign in")
    made.wait(lambda: not made.path.endswith("/sign-in"))
    yield made
    made.close()


# --- in the browser


def press_connect(window):
    window.driver.find_element("css selector", "form[action$='/authorize'] button").click()


@pytest.mark.parametrize("key", ["google", "shopify", "notion", "slack"])
def test_a_person_saves_a_client_signs_in_and_sees_whose_access_it_is(stage, window, key):
    setup = typed(catalogue()[key])
    window.open(stage.house.url(f"/connections/new/{key}"))
    window.fill(**{f"setup.{name}": value for name, value in setup.items()}).press("save and connect")
    window.wait(lambda: window.driver.find_elements("css selector", "button[value=allow]"))
    assert window.driver.current_url.startswith(stage.played[key].origins[0] + "/")
    window.press("allow")
    window.wait_text("connected.")
    # The address bar has neither code nor state, and going back does not bring them.
    assert re.fullmatch(re.escape(stage.house.url("/connections/")) + "[0-9a-f-]{36}", window.driver.current_url)
    source = window.driver.page_source
    played = stage.played[key]
    assert "Signed in" in source and "Reconnect" in source
    for secret in [setup["client_secret"], *(t.access_token for t in played.tokens)]:
        assert secret not in source
    [row] = stage.house.api().get(f"/connections?provider={key}").json()["data"]
    assert stage.works(row["id"]), row
    assert not window.console()


def test_a_person_denies_and_is_told_what_to_do_next(stage, window):
    connection = stage.connection("google")
    window.open(stage.house.url(f"/connections/{connection}"))
    press_connect(window)
    window.wait(lambda: window.driver.find_elements("css selector", "button[value=deny]"))
    window.press("deny")
    window.wait_text("Access denied at Google.")
    window.wait_text("Connect again and allow it")
    assert stage.state(connection)["status"] == "disconnected"


def test_a_person_reconnects_in_place_with_other_permissions(stage, window):
    google = stage.played["google"]
    connection = stage.connection("google")
    window.open(stage.house.url(f"/connections/{connection}"))
    press_connect(window)
    window.wait(lambda: window.driver.find_elements("css selector", "button[value=allow]"))
    window.press("allow")
    window.wait_text("connected.")
    drive = "https://www.googleapis.com/auth/drive.file"
    google.grants = lambda asked: [scope for scope in asked if scope != drive]
    window.press("ask for other permissions")
    window.fill(scopes=f"openid email {drive}").press("reconnect with these")
    window.wait(lambda: window.driver.find_elements("id", "asked"))
    assert window.driver.find_element("id", "asked").text == f"openid email {drive}"
    window.press("allow")
    window.wait_text("Insufficient scope")
    window.wait_text("Not granted")
    state = stage.state(connection)
    assert state["scopes"]["missing"] == [drive] and state["status"] == "error"


def test_a_link_that_another_person_made_connects_nothing_in_this_browser(stage, window):
    """Cross-user session fixation: the state is valid, the session is another one."""
    connection = stage.connection("google")
    stage.house.create_user("mallory@example.com", "mallory-has-a-password", org="Example", role="admin")
    mallory = stage.house.sign_in("mallory@example.com", "mallory-has-a-password")
    url = leave(mallory, connection)
    window.open(url)
    window.wait(lambda: window.driver.find_elements("css selector", "button[value=allow]"))
    window.press("allow")
    window.wait_text("begun in another session")
    assert stage.state(connection)["status"] == "disconnected"
    assert stage.played["google"].calls["token"] == calls(stage, "google")


# --- over requests


def calls(stage, key):
    return stage.played[key].calls["token"]


def leave(person, connection):
    """Presses Connect, and gives the address that the browser goes to."""
    answer = person.submit(f"/connections/{connection}", having="/authorize")
    assert answer.status_code == 200, answer.text
    seconds, _, url = answer.headers["refresh"].partition("; url=")
    assert seconds == "0"
    return url


def decide(stage, url, decision="allow"):
    """What the service's page does, and where it sends the browser: nobody goes there yet."""
    host = urllib.parse.urlsplit(url).netloc
    target = url.replace(f"https://{host}", stage.server.url)
    page = requests.get(target, headers={"Host": host}, timeout=10)
    assert page.status_code == 200, page.text
    query = urllib.parse.urlsplit(url).query
    answer = requests.post(
        target, data={"query": query, "decision": decision}, headers={"Host": host}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def parts(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True))


def changed(url, **changes):
    split = urllib.parse.urlsplit(url)
    query = {**parts(url), **changes}
    return split._replace(query=urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})).geturl()


def come_back(person, location):
    answer = person.session.get(location, timeout=30, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert "code" not in parts(answer.headers["location"]) and "state" not in parts(answer.headers["location"])
    return person.session.get(urllib.parse.urljoin(location, answer.headers["location"]), timeout=30).text


KEYS = ["google", "shopify", "notion", "slack"]


@pytest.mark.parametrize("key", KEYS)
def test_signing_in_once_connects_and_a_replayed_code_does_not(stage, key):
    person, connection = stage.house.sign_in(), stage.connection(key)
    location = decide(stage, leave(person, connection))
    text = come_back(person, location)
    assert "connected." in text, re.findall("flash.*", text)
    assert stage.works(connection)
    count = calls(stage, key)
    assert "was used already" in come_back(person, location)
    # A fresh state with the old code reaches the service, which refuses it.
    state = parts(leave(person, connection))["state"]
    answer = come_back(person, resigned(stage, key, changed(location, state=state)))
    assert "Invalid grant" in answer and calls(stage, key) == count + 1
    assert stage.works(connection), "what worked before still works"


def resigned(stage, key, location):
    """A callback that the service would have signed like this, where it signs."""
    if key != "shopify":
        return location
    query = {name: value for name, value in parts(location).items() if name in ("code", "state")}
    played = stage.played[key]
    signed = played.dialect.callback(played, {"client_id": typed(catalogue()[key])["client_id"]}, query)
    return location.partition("?")[0] + "?" + urllib.parse.urlencode(signed)


@pytest.mark.parametrize("key", KEYS)
def test_denied_wrong_and_missing_states_connect_nothing(stage, key):
    person, connection = stage.house.sign_in(), stage.connection(key)
    before = calls(stage, key)
    assert "Access denied" in come_back(person, decide(stage, leave(person, connection), "deny"))
    good = decide(stage, leave(person, connection))
    assert "does not say which sign-in" in come_back(person, changed(good, state=None))
    assert "unknown or ended" in come_back(person, changed(good, state="A" * 43))
    stranger = stage.house.sign_in()
    assert "another session" in come_back(stranger, good)
    signed_out = requests.get(good, timeout=10, allow_redirects=False)
    assert signed_out.status_code == 303 and "code" not in signed_out.headers["location"]
    assert calls(stage, key) == before and stage.state(connection)["status"] == "disconnected"


def test_an_answer_from_another_service_or_another_issuer_is_refused(stage):
    """Mix-up, COAT and CORF: a code goes to no service but the one that the sign-in was begun at."""
    person = stage.house.sign_in()
    google, slack = stage.connection("google"), stage.connection("slack")
    good = decide(stage, leave(person, google))
    before = {key: calls(stage, key) for key in KEYS}
    # The honest code arrives at the address of another service, with the state of a sign-in there.
    state = parts(leave(person, slack))["state"]
    wrong = changed(good.replace("/callback/google", "/callback/slack"), iss=None)
    assert "address of another service" in come_back(person, wrong)
    assert "address of another service" in come_back(person, changed(good, state=state))
    good = decide(stage, leave(person, google))
    assert "does not come from Google" in come_back(person, changed(good, iss="https://evil.example"))
    assert {key: calls(stage, key) for key in KEYS} == before
    assert stage.state(google)["status"] == stage.state(slack)["status"] == "disconnected"


def test_shopify_is_believed_only_with_its_signature_and_for_this_shop(stage):
    person, connection = stage.house.sign_in(), stage.connection("shopify")
    before = calls(stage, "shopify")
    for changes in ({"hmac": None}, {"hmac": "0" * 64}, {"shop": "evil.com"}, {"code": "another"}):
        good = decide(stage, leave(person, connection))
        assert "not signed" in come_back(person, changed(good, **changes)), changes
    assert calls(stage, "shopify") == before


def test_neither_code_nor_state_nor_token_is_in_any_log(stage):
    person, connection = stage.house.sign_in(), stage.connection("google")
    url = leave(person, connection)
    location = decide(stage, url)
    come_back(person, location)
    come_back(person, location)
    played = stage.played["google"]
    secrets = [parts(location)["code"], parts(location)["state"], SECRET]
    secrets += [text for token in played.tokens for text in (token.access_token, token.refresh_token)]
    texts = {path.name: path.read_text(errors="replace") for path in stage.house.folder.rglob("*.log")}
    assert any("/connections/callback/google" in text for text in texts.values()), list(texts)
    for name, text in texts.items():
        for secret in secrets:
            assert secret not in text, name
    dump = stage.house.dump().decode(errors="replace")
    for secret in secrets:
        assert secret not in dump and secret.encode().hex() not in dump.lower()


def test_a_code_that_comes_while_the_hub_is_away_is_in_no_log_either(stage):
    house = stage.house
    house.supervisor.send_signal(signal.SIGTERM)
    house.supervisor.wait(40)
    try:
        answer = requests.get(house.url("/connections/callback/google?code=lonely-code&state=s"), timeout=10)
        assert answer.status_code == 502
        texts = [path.read_text(errors="replace") for path in house.folder.rglob("*.log")]
        assert not any("lonely-code" in text for text in texts)
    finally:
        house.start_hub()
        house.wait_ready()


def test_a_script_begins_and_ends_a_sign_in(stage):
    api, connection = stage.house.api(), stage.connection("google")
    begun = api.post(f"/connections/{connection}/authorize", {"scopes": ["openid", "email"]}).json()
    code = parts(decide(stage, begun["url"]))["code"]
    body = {"code": code, "state": begun["state"]}
    other = stage.house.api(stage.house.create_key(name="other"))
    assert other.post(f"/connections/{connection}/exchange", body).json()["code"] == "state_of_another_session"
    done = api.post(f"/connections/{connection}/exchange", body)
    assert done.status_code == 200 and done.json()["status"] == "connected", done.text
    assert done.json()["scopes"]["requested"] == ["openid", "email"]
    assert api.post(f"/connections/{connection}/exchange", body).json()["code"] == "state_used"
    page = requests.get(stage.house.url("/connections/callback/google"), params=body, timeout=10, allow_redirects=False)
    assert page.status_code == 303


# --- every service of the catalogue


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_every_service_of_the_catalogue_connects_is_denied_and_refuses_a_wrong_state(stage, key):
    person, connection = stage.house.sign_in(), stage.connection(key, "every")
    redirect = parts(leave(person, connection))["redirect_uri"]
    if key == "custom_oauth2":
        assert redirect == stage.house.url(f"/connections/callback/custom_oauth2/{connection}")
        stage.played[key].client(CLIENT, SECRET, redirect)
    assert "Access denied" in come_back(person, decide(stage, leave(person, connection), "deny"))
    good = decide(stage, leave(person, connection))
    before = calls(stage, key)
    assert "unknown or ended" in come_back(person, changed(good, state="B" * 43))
    assert "another session" in come_back(stage.house.sign_in(), good)
    assert calls(stage, key) == before
    assert "connected." in come_back(person, good)
    assert "was used already" in come_back(person, good)
    assert calls(stage, key) == before + 1
    state = stage.state(connection)
    assert stage.works(connection) and state["authorized_at"] and state["scopes"]["missing"] == []
