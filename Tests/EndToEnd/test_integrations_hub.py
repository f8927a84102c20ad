"""The contract “Integrations Hub” as its own client speaks it, against Authlib's server: Shopify, Notion, Google Drive, Zapier."""

import re
import urllib.parse

import pytest
import requests

from authserver import AuthServer
from dialects import Google, Notion, Shopify
from house import House
from stage import catalogue, decide, origins, parts

CLIENT, SECRET = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
DIALECTS = {"shopify": Shopify, "notion": Notion, "google_drive": Google}
# The variables of the contract's own setup guide.
VARIABLES = {
    f"{name}_{part}": value for name in ("SHOPIFY", "NOTION", "GOOGLE")
    for part, value in (("CLIENT_ID", CLIENT), ("CLIENT_SECRET", SECRET))}
SITE = "https://app.example"


class Stage:
    def __init__(self, folder):
        self.server, self.played = AuthServer(), {}
        for key, dialect in DIALECTS.items():
            self.played[key] = self.server.service(*origins(catalogue()[key]), dialect=dialect())
        settings = {**self.server.settings(folder), **VARIABLES, "SITE_URL": SITE}
        self.house = House(folder, settings=settings).start()
        for key, played in self.played.items():
            played.client(CLIENT, SECRET, self.house.url(f"/functions/v1/integrations-callback/{key}"))
        self.person = self.house.sign_in()

    def stop(self):
        self.house.stop()
        self.server.stop()

    def ask(self, body, token=True):
        page = self.person.get("/account").text
        headers = {"X-CSRF-Token": re.search(r'name="csrf_token" value="([^"]+)"', page)[1]} if token else {}
        return self.person.session.post(
            self.house.url("/functions/v1/integrations-connect"), json=body, headers=headers, timeout=30)

    def begin(self, key, **more):
        answer = self.ask({"provider": key, **({"shop": "acme.myshopify.com"} if key == "shopify" else {}), **more})
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"authUrl", "provider"} and answer.json()["provider"] == key
        return answer.json()["authUrl"]

    def come_back(self, address, session=None):
        answer = (session or self.person.session).get(address, allow_redirects=False, timeout=30)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def status(self, key):
        [found] = self.house.api().get(f"/connections?provider={key}").json()["data"]
        return found["status"]


@pytest.fixture(scope="module")
def stage(database_template, tmp_path_factory):
    made = Stage(tmp_path_factory.mktemp("hub-contract"))
    yield made
    made.stop()


@pytest.mark.parametrize("key", DIALECTS)
def test_connect_shows_connected_and_disconnect_clears_it(stage, key):
    url = stage.begin(key)
    asked = parts(url)
    assert url.startswith(stage.played[key].origins[0]) and asked["client_id"] == CLIENT
    assert asked["redirect_uri"] == stage.house.url(f"/functions/v1/integrations-callback/{key}")
    assert len(asked["state"]) >= 43, "random, not a user's id"
    back = decide(stage, url)
    assert back.startswith(asked["redirect_uri"])
    assert stage.come_back(back) == f"{SITE}/integrations?success={key}"
    assert stage.status(key) in ("connected", "expiring")

    # A code and a state are good for once.
    assert "?error=" in stage.come_back(back)
    assert stage.status(key) in ("connected", "expiring")
    assert SECRET not in stage.house.log_text()

    api = stage.house.api()
    [found] = api.get(f"/connections?provider={key}").json()["data"]
    assert api.post(f"/connections/{found['id']}/disconnect").status_code == 200
    assert stage.status(key) == "disconnected"


def test_a_denial_and_a_strangers_browser_end_at_the_page_with_an_error(stage):
    denied = decide(stage, stage.begin("notion"), "deny")
    assert stage.come_back(denied) == f"{SITE}/integrations?error=access_denied"
    good = decide(stage, stage.begin("notion"))
    assert "?error=signed_out" in stage.come_back(good, requests.Session())
    stage.house.create_user("mallory@example.org", "mallory-has-a-password", org="Example", role="admin")
    mallory = stage.house.sign_in("mallory@example.org", "mallory-has-a-password")
    assert "?error=" in stage.come_back(good, mallory.session)
    assert stage.status("notion") == "disconnected"


def test_the_way_back_is_a_page_that_is_listed(stage):
    back = decide(stage, stage.begin("google_drive", redirectUri="/connections"))
    assert urllib.parse.urlsplit(stage.come_back(back)).path.endswith("/connections")
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        refused = stage.ask({"provider": "google_drive", "redirectUri": elsewhere})
        assert refused.status_code == 422 and refused.json()["errors"][0]["pointer"] == "/redirectUri", elsewhere


def test_zapier_is_set_up_on_a_page_and_others_are_refused(stage):
    assert stage.begin("zapier") == stage.house.url("/connections/new/zapier")
    assert stage.ask({"provider": "slack"}).status_code == 422
    assert stage.ask({"provider": "notion"}, token=False).status_code == 401
