"""Tokens that the existing site signs, made by joserfc and sent through nginx."""

import base64
import hmac
import http.server
import json
import threading
import time

import pytest
import requests
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from house import OWNER, House, until
from standins import TELEGRAM_TOKEN

ISSUER = "https://site.example/"
ORIGIN = "https://keys.site.example"
KEYS = {
    "HS256": OctKey.generate_key(256, {"kid": "secret", "use": "sig"}),
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "point"}),
}


def key_set(*keys, private=False):
    return {"keys": [key.as_dict(private=private or key.key_type == "oct") for key in keys]}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**more):
    now = int(time.time())
    made = {"iss": ISSUER, "aud": "hub", "sub": "visitor-7", "iat": now, "exp": now + 300, **more}
    return {name: value for name, value in made.items() if value is not None}


def sign(algorithm, header=None, key=None, **more):
    key = key or KEYS[algorithm]
    return jwt.encode({"alg": algorithm, "kid": key.kid, **(header or {})}, claims(**more), key, algorithms=[algorithm])


def ask(house, token, path="/connections", method="GET", **options):
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    return requests.request(method, house.url("/api/v1" + path), headers=headers, timeout=30, **options)


@pytest.fixture(scope="module")
def signing(tmp_path_factory, database_template):
    """A hub that takes tokens of three algorithms, the keys in a file."""
    folder = tmp_path_factory.mktemp("site-tokens")
    path = folder / "jwks.json"
    path.write_text(json.dumps(key_set(*KEYS.values())))
    path.chmod(0o600)
    house = House(folder / "house", settings={
        "HUB_GUESSES_PER_MINUTE": 1_000_000, "HUB_JWT_JWKS": path, "HUB_JWT_ISSUER": ISSUER, "HUB_JWT_AUDIENCE": "hub, api"})
    house.keys_path = path
    try:
        yield house.start()
    finally:
        house.stop()


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_stated_right_opens_what_it_names_and_nothing_else(signing, algorithm):
    token = sign(algorithm, scope="openid connections:read connections:write audit:read")
    assert ask(signing, token).status_code == 200
    assert ask(signing, token, "/api-keys").status_code == 403
    assert requests.get(signing.url("/api/v1/connections"), headers={"X-API-Key": token}, timeout=30).status_code == 200

    made = ask(signing, token, "/connections", "POST", json={
        "provider": "telegram", "name": algorithm.lower(), "setup": {"bot_token": TELEGRAM_TOKEN}})
    assert made.status_code == 201, made.text
    (line,) = [line for line in ask(signing, token, "/audit-log").json()["data"]
               if line["object"]["id"] == made.json()["id"]]
    assert (line["actor"]["kind"], line["actor"]["name"]) == ("site_token", "visitor-7")


def test_an_account_acts_with_its_role(signing):
    signing.create_user("mia@example.org", "correct horse battery staple", org="Example", role="member")
    mia = sign("RS256", sub="auth0|1", email="Mia@example.org", email_verified=True)
    assert ask(signing, mia).status_code == 200
    assert ask(signing, mia, "/connections", "POST", json={"provider": "telegram"}).status_code == 403
    made = ask(signing, mia, "/api-keys", "POST", json={"name": "mine", "scopes": ["connections:read"]})
    assert made.status_code == 201 and signing.api(made.json()["key"]).get("/connections").status_code == 200
    owner = sign("ES256", email=OWNER[0], email_verified=True)
    assert ask(signing, owner, "/audit-log").status_code == 200
    unchecked = sign("ES256", email=OWNER[0])
    assert ask(signing, unchecked, "/audit-log").status_code == 403
    stranger = sign("HS256", scope="api_keys:write connections:read")
    refused = ask(signing, stranger, "/api-keys", "POST", json={"name": "mine", "scopes": ["connections:read"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "account_required")


def test_every_demand_refuses(signing):
    now, good = int(time.time()), dict(scope="connections:read")
    other = RSAKey.generate_key(2048, {"kid": "rsa"})
    # The classic forgery, by hand: libraries refuse to make it.
    text = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "rsa"}, claims(**good)))
    forged = f"{text}.{base64url(hmac.digest(KEYS['RS256'].as_pem(private=False), text.encode(), 'sha256'))}"
    none = jws.serialize_compact({"alg": "none"}, json.dumps(claims(**good)), None, algorithms=["none"])
    refused = {
        "another issuer": sign("RS256", iss="https://site.example", **good),
        "another audience": sign("RS256", aud=["other"], **good),
        "no audience": sign("RS256", aud=None, **good),
        "expired": sign("RS256", exp=now - 61, **good),
        "no end": sign("RS256", exp=None, **good),
        "not yet": sign("RS256", nbf=now + 120, **good),
        "of the future": sign("RS256", iat=now + 120, **good),
        "no subject": sign("RS256", sub=None, **good),
        "another key": sign("RS256", key=other, **good),
        "an unknown key": sign("RS256", key=RSAKey.generate_key(2048, {"kid": "new"}), **good),
        "none": none,
        "none with a signature": none + sign("RS256", **good).rpartition(".")[2],
        "a public key as a secret": forged,
        "a key of its own": sign("RS256", {"jwk": other.as_dict(private=False)}, key=other, **good),
        "an address of its own": sign("RS256", {"jku": ORIGIN + "/mine"}, **good),
        "a bit turned": sign("ES256", **good)[:-3] + "AAA",
        "another kind": sign("RS256", {"typ": "logout+jwt"}, **good),
        "too long": sign("RS256", scope="connections:read " + "x:y " * 2000),
        "two dots": "..",
        "garbage": "a.b.c",
    }
    for what, token in refused.items():
        answer = ask(signing, token)
        # nginx itself may refuse a header of more than 8 kB.
        assert answer.status_code == 401 or (what == "too long" and answer.status_code in (400, 431)), (what, answer.text)
        if answer.status_code == 401:
            assert answer.json()["code"] == "invalid_credential", what
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
            assert token == ".." or token not in answer.text
    assert ask(signing, sign("RS256", aud=["x", "api"], exp=now - 50, **good)).status_code == 200


def test_the_organization_is_the_one_that_the_site_names(make_house, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(key_set(KEYS["ES256"])))
    house = make_house(settings={"HUB_JWT_JWKS": path, "HUB_JWT_ISSUER": ISSUER, "HUB_JWT_AUDIENCE": "hub"})
    house.create_user("ana@globex.example", "correct horse battery staple", org="Globex")
    ids = {row["name"]: row["id"] for row in house.sql(
        "SELECT name, LOWER(INSERT(INSERT(INSERT(INSERT(HEX(id), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-')) AS id"
        " FROM organizations")}
    token = sign("ES256", scope="organization:read")
    answer = ask(house, token, "/organization")
    assert (answer.status_code, answer.json()["code"]) == (400, "organization_required")
    assert ask(house, token, "/organization", headers={"X-Org-ID": ids["Globex"]}).status_code == 404
    named = sign("ES256", scope="organization:read", org_id=ids["Globex"])
    assert ask(house, named, "/organization").json()["name"] == "Globex"
    assert ask(house, named, "/organization", headers={"X-Org-ID": ids["Example"]}).status_code == 404
    nowhere = sign("ES256", scope="organization:read", org_id="019a0000-0000-7000-8000-000000000000")
    assert ask(house, nowhere, "/organization").status_code == 404
    assert ask(house, sign("ES256", org_id="org_2abc"), "/organization").status_code == 401


def test_a_changed_file_counts_within_seconds(signing):
    new = ECKey.generate_key("P-256", {"kid": "tomorrow"})
    token = sign("ES256", key=new, scope="connections:read")
    assert ask(signing, token).status_code == 401
    before = signing.keys_path.read_text()
    fresh = signing.keys_path.with_suffix(".new")
    fresh.write_text(json.dumps(key_set(new)))
    fresh.rename(signing.keys_path)
    try:
        # Each of the workers looks for itself.
        until(lambda: all(ask(signing, token).status_code == 200 for _ in range(20)), 10, "the new key")
        old = sign("RS256", scope="connections:read")
        until(lambda: all(ask(signing, old).status_code == 401 for _ in range(20)), 10, "the old key's end")
    finally:
        fresh.write_text(before)
        fresh.rename(signing.keys_path)
    until(lambda: all(ask(signing, old).status_code == 200 for _ in range(20)), 10, "the old keys")


class Issuer:
    """The site's address with its keys, as an identity provider answers there."""

    def __init__(self):
        self.keys, self.asked, self.not_modified, self.fails, self.age = {"keys": []}, 0, 0, False, 3600
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                body = json.dumps(issuer.keys).encode()
                etag = f'"{hash(body):x}"'
                if issuer.fails:
                    return self.send_error(503)
                if self.headers.get("If-None-Match") == etag:
                    issuer.not_modified += 1
                    self.send_response(304)
                    self.end_headers()
                    return None
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", f"public, max-age={issuer.age}")
                self.send_header("ETag", etag)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return None

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def issuer(tmp_path):
    made = Issuer()
    (tmp_path / "issuer-origins.json").write_text(json.dumps({ORIGIN: made.url}))
    made.settings = {
        "HUB_GUESSES_PER_MINUTE": 1_000_000,
        "HUB_JWT_JWKS": ORIGIN + "/jwks", "HUB_JWT_ISSUER": ISSUER, "HUB_JWT_AUDIENCE": "hub",
        "HUB_ORIGIN_MAP": tmp_path / "issuer-origins.json"}
    yield made
    made.stop()


def test_keys_at_an_address_are_fetched_once_and_rotated(issuer, make_house):
    first, second = KEYS["RS256"], ECKey.generate_key("P-256", {"kid": "second"})
    issuer.keys = key_set(first, KEYS["HS256"])
    house = make_house(settings={**issuer.settings, "HUB_KEEPALIVE": 16}, workers=1)
    token = sign("RS256", scope="connections:read")
    assert ask(house, token).status_code == 200
    assert all(ask(house, token).status_code == 200 for _ in range(50))
    assert issuer.asked == 1, "what is fresh is not asked for again"
    secret = sign("HS256", scope="connections:read")
    assert ask(house, secret).status_code == 401, "a secret that everybody can fetch is none"

    # A key that is not known makes no more than one call a minute, whoever sends it.
    issuer.keys = key_set(second)
    rotated = sign("ES256", key=second, scope="connections:read")
    assert ask(house, rotated).status_code == 401 and issuer.asked == 1
    house.supervisor.send_signal(1)
    # New workers ask anew; the old ones, which drain, know the old keys only.
    until(lambda: ask(house, rotated).status_code == 200, 30, "the second key")
    until(lambda: all(ask(house, token).status_code == 401 for _ in range(10)), 30, "the first key's end")


def test_an_issuer_that_is_away_costs_no_lane(issuer, make_house):
    issuer.fails, issuer.keys = True, key_set(KEYS["RS256"])
    house = make_house(settings={**issuer.settings, "HUB_KEEPALIVE": 16}, workers=1)
    token = sign("RS256", scope="connections:read")
    answer = ask(house, token)
    assert (answer.status_code, answer.json()["code"]) == (503, "token_keys_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert house.api().get("/connections").status_code == 200, "keys of the hub's own need nobody"
    began = time.monotonic()
    assert {ask(house, token).status_code for _ in range(50)} == {503}
    assert time.monotonic() - began < 5 and issuer.asked <= 3
    issuer.fails = False
    until(lambda: ask(house, token).status_code == 200, 40, "the issuer's return")


def test_settings_that_make_no_sense_are_named(make_house, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(key_set(KEYS["HS256"])))
    path.chmod(0o644)
    house = make_house(start=False)
    house.database.start()

    def doctor(**settings):
        house.write_settings(**{
            "HUB_JWT_JWKS": None, "HUB_JWT_ISSUER": None, "HUB_JWT_AUDIENCE": None, "HUB_JWT_ALLOW_ADMIN": None,
            "HUB_DATABASE_URL": "mysql://nobody@localhost/none?socket=/nowhere", **settings})
        return house.hub("doctor", check=False).stdout

    good = {"HUB_JWT_JWKS": path, "HUB_JWT_ISSUER": ISSUER}
    told = doctor(**good)
    assert "ok       keys of the site" in told
    assert "can be read by everybody on this host" in told and "HUB_JWT_AUDIENCE is not set" in told
    assert "HUB_JWT_ISSUER (" in doctor(HUB_JWT_JWKS=path)
    assert "HUB_JWT_JWKS (" in doctor(HUB_JWT_ISSUER=ISSUER)
    assert "https address" in doctor(**{**good, "HUB_JWT_JWKS": "http://site.example/jwks"})
    assert "cannot be read" in doctor(**{**good, "HUB_JWT_JWKS": tmp_path / "nothing"})
    assert "yes or no" in doctor(**good, HUB_JWT_ALLOW_ADMIN="perhaps")
    assert "HUB_JWT_ALLOW_ADMIN is yes" in doctor(**good, HUB_JWT_ALLOW_ADMIN="yes")
    path.write_text(json.dumps(KeySet([KEYS["RS256"]]).as_dict(private=True)))
    told = doctor(**good)
    assert "“rsa” is a private key" in told and "wrong    keys of the site" in told
