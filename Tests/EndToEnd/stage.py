"""A house beside an authorization server on which every service of the catalogue is played, and what a person does there."""

import json
import pathlib
import re
import urllib.parse

import requests

from authserver import AuthServer
from dialects import (
    Airtable, Dialect, Discord, Facebook, GitHub, Google, HubSpot, Instagram, Microsoft, Notion, OpenRouter, Shopify,
    Slack, Stripe)
from house import House

PROVIDERS = pathlib.Path(__file__).parents[2] / "Sources" / "Connections" / "Providers"
CLIENT, SECRET = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"

# Services that write something differently than the standard; the others are played as their provider file describes.
DIALECTS = {
    "airtable": Airtable, "discord": Discord, "facebook": Facebook, "github": GitHub, "google": Google,
    "google_calendar": Google, "google_drive": Google, "hubspot": HubSpot, "instagram": Instagram, "microsoft": Microsoft,
    "microsoft_teams": Microsoft, "notion": Notion, "openrouter": OpenRouter, "shopify": Shopify, "slack": Slack,
    "stripe": Stripe,
}
# What is typed; of several the first that the field's pattern takes.
TYPED = {
    "client_id": [CLIENT, "123456789012345678", "1234567.1234567", "00000000-1111-2222-3333-444444444444",
                  "ca_" + CLIENT],
    "client_secret": [SECRET, "sk_test_" + SECRET],
    "shop": ["acme"], "authorize_url": ["https://login.own.example/authorize"],
    "token_url": ["https://login.own.example/token"], "revoke_url": ["https://login.own.example/revoke"],
    "test_url": ["https://login.own.example/me"],
}


def catalogue():
    """Each provider file with a sign-in, by its key."""
    files = {path.stem: json.loads(path.read_text()) for path in sorted(PROVIDERS.glob("*.json"))}
    return {key: file for key, file in files.items() if file.get("oauth")}


def typed(file):
    """The set-up that a person types for a service."""
    setup = {}
    for field in file["fields"]:
        name, pattern = field["name"], re.compile(field.get("pattern", ".*"))
        is_needed = name in ("client_id", "client_secret", "revoke_url") or (field.get("required") and "default" not in field)
        if is_needed and name != file["oauth"].get("own_token"):
            setup[name] = next(value for value in TYPED.get(name, ["123456789012"]) if pattern.fullmatch(value))
    return setup


def client_of(file):
    """The client that is registered at a service; where nobody is, anybody is one."""
    return typed(file).get("client_id", "anybody"), typed(file).get("client_secret", "")


def filled(file, text):
    """An address of a provider file, its holes filled."""
    values = {field["name"]: field.get("default", "") for field in file["fields"]} | typed(file)
    return urllib.parse.urlsplit(re.sub(r"\{([a-z_]+)\}", lambda hole: values[hole[1]], text))


def addresses(file):
    """The authorization address, the token address and the test's, and then all others that sign-ins need."""
    # Of several tests it is the one with the token of a sign-in.
    tests = file["test"] if isinstance(file["test"], list) else [file["test"]]
    test = next(test for test in tests if "{access_token}" in json.dumps(test))
    oauth = file["oauth"]
    others = oauth.get("long_lived"), oauth.get("refresh"), oauth.get("revoke", {}).get("url")
    return [filled(file, text) for text in (oauth["authorize"], oauth["token"], test["url"], *others) if text]


def origins(file):
    return list(dict.fromkeys(f"{url.scheme}://{url.netloc}" for url in addresses(file)))


class AsDescribed(Dialect):
    """A service as its provider file describes it."""

    # It does what RFC 7009 §2.1 asks of it, and nothing that it merely allows.
    access_ends_grant = False

    def __init__(self, file):
        oauth, (authorize, token, *_) = file["oauth"], addresses(file)
        self.authorize, self.token = (authorize.path,), (token.path,)
        self.revoke = (filled(file, oauth["revoke"]["url"]).path,) if "revoke" in oauth else ()
        self.takes_json = oauth.get("body") == "json"
        self.requires_basic = oauth.get("client_authentication") == "basic"
        self.requires_pkce = oauth.get("pkce", True)
        self.rotates = oauth.get("rotates_refresh_token", False)


class Stage:
    def __init__(self, folder):
        self.server = AuthServer(folder)
        self.files, self.played = catalogue(), {}
        for key, file in self.files.items():
            here = origins(file)
            # Google and its Drive are one service, with one page to sign in on.
            shared = next((one for one in self.server.services if one.origins[0] == here[0]), None)
            dialect = DIALECTS[key]() if key in DIALECTS else AsDescribed(file)
            self.played[key] = shared or self.server.service(dialect=dialect)
            self.played[key].origins += [origin for origin in here if origin not in self.played[key].origins]
        self.played["google"].issuer = "https://accounts.google.com"
        self.house = House(folder, settings=self.server.settings(folder)).start()
        for key in self.files:
            self.register(key, self.house.url(f"/connections/callback/{key}"))

    def register(self, key, redirect):
        """Registers a redirect address at the service, beside those that it knows."""
        played, (client_id, secret) = self.played[key], client_of(self.files[key])
        known = played.clients[client_id].redirect_uris if client_id in played.clients else []
        played.client(client_id, secret, *known, redirect)

    def stop(self):
        self.house.stop()
        self.server.stop()

    def reset(self):
        for played in self.played.values():
            played.grants = played.fail = played.fail_refresh = None
            played.drop_refresh_token = False
            played.user = "ana@example.com"

    def connection(self, key, name="default", **more):
        """A connection with what is typed for its service; None leaves a field out."""
        setup = {name: value for name, value in {**typed(self.files[key]), **more}.items() if value is not None}
        made = self.house.api().create(key, setup, name)["id"]
        # Where the set-up names the server, each connection has an address of its own.
        if self.files[key]["oauth"]["authorize"].startswith("{"):
            self.register(key, self.house.url(f"/connections/callback/{key}/{made}"))
        return made

    def connected(self, person, key, name="every", **more):
        """A connection that somebody has just signed in for."""
        connection = self.connection(key, name, **more)
        text = come_back(person, decide(self, leave(person, connection)))
        assert "connected." in text, flashes(text)
        return connection

    def works(self, connection):
        """Whether it can be used, be it that its service announced an end."""
        return self.house.api().get(f"/connections/{connection}/status").json()["connected"]

    def state(self, connection):
        return self.house.api().get(f"/connections/{connection}").json()

    def stored(self, connection):
        """What is stored of what a service granted."""
        [row] = self.house.sql(
            "SELECT HEX(tokens_sealed) AS tokens, tokens_version, status, status_detail, authorized_at, refreshed_at, "
            "token_expires_at, grant_ends_at, requested_scopes, granted_scopes FROM connections WHERE HEX(id) = %s",
            connection.replace("-", ""))
        return row

    def pass_time(self, key, connection, seconds):
        """Lets time pass here and at the service. What is due by now is not done in the background, but when asked for."""
        self.played[key].pass_time(seconds)
        past = ", ".join(f"{name} = {name} - INTERVAL {int(seconds)} SECOND" for name in (
            "authorized_at", "refreshed_at", "token_expires_at", "grant_ends_at"))
        self.house.sql(
            f"UPDATE connections SET {past}, refresh_lease_until = NULL, test_rests_until = NULL WHERE HEX(id) = %s",
            connection.replace("-", ""))


def remove_all(api):
    for connection in api.get("/connections").json()["data"]:
        if connection["name"] == "default":
            api.patch(f"/connections/{connection['id']}", {"name": "to-be-removed"})
        api.delete(f"/connections/{connection['id']}")


# --- what a person does, request by request


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


def flashes(text):
    """What a page tells first."""
    return re.findall(r"flash.*", text)[:5]


def resigned(stage, key, location):
    """A callback that the service would have signed like this, where it signs."""
    if key != "shopify":
        return location
    query = {name: value for name, value in parts(location).items() if name in ("code", "state", "iss")}
    played = stage.played[key]
    signed = played.dialect.callback(played, {"client_id": client_of(stage.files[key])[0]}, query)
    return location.partition("?")[0] + "?" + urllib.parse.urlencode(signed)
