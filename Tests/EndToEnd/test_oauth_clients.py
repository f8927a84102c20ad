"""Clients that nobody wrote for this hub, unmodified from PyPI, through nginx with TLS: Authlib, requests-oauthlib and
requests_oauth2client, and a browser in which a person clicks. They are told where the hub stands, and discover the rest."""

import http.server
import os
import re
import subprocess
import threading
import urllib.parse

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc6749.errors import MissingCodeException
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauth2client import (
    ClientSecretBasic, ClientSecretPost, DeviceAuthorizationPollingJob, InvalidGrant, OAuth2AccessTokenAuth, OAuth2Client,
    OAuth2ClientCredentialsAuth, PublicApp, oauth2_discovery_document_url)
from requests_oauth2client.exceptions import AuthorizationResponseError, MismatchingIssuer, MismatchingState, MissingIssuer
from requests_oauthlib import OAuth2Session as OauthlibSession

from browser import Browser
from ecosystem import CALLBACK, NO, SETTINGS, YES, Server, parameters, visit
from house import OWNER, House, until


class SecureHouse(House):
    """A house that browsers reach by https alone, as every real one is."""

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self.origin = f"https://127.0.0.1:{self.port}"
        self.settings["HUB_PUBLIC_URL"] = self.origin + self.mount
        self.certificate, self.private_key = self.folder / "tls.pem", self.folder / "tls.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.private_key,
             "-out", self.certificate], check=True, capture_output=True)

    def nginx_configuration(self, extra):
        listen = f"listen 127.0.0.1:{self.port} backlog=4096;"
        text = super().nginx_configuration(extra)
        assert listen in text
        return text.replace(listen, f"{listen[:-1]} ssl; ssl_certificate {self.certificate}; "
                                    f"ssl_certificate_key {self.private_key};")


class App:
    """The side of an app that a browser is sent back to: a page on this machine, and the addresses it was asked for."""

    def __init__(self):
        self.came = came = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                came.append(self.path)
                body = b"<title>The app</title><p>Welcome back to the app."
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.redirect_uri = self.origin + "/callback"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answered(self):
        """The address that the browser came back by."""
        path = until(lambda: next((path for path in self.came if path.startswith("/callback?")), None), 30, "the way back")
        self.came.clear()
        return self.origin + path

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module", params=["", "/x"], ids=["root", "mounted"])
def server(request, database_template, tmp_path_factory):
    house = SecureHouse(tmp_path_factory.mktemp("clients") / "house", mount=request.param, settings=SETTINGS)
    kept = os.environ.get("REQUESTS_CA_BUNDLE")
    os.environ["REQUESTS_CA_BUNDLE"] = str(house.certificate)
    try:
        house.start()
        yield Server(house)
    finally:
        house.stop()
        os.environ.pop("REQUESTS_CA_BUNDLE")
        if kept:
            os.environ["REQUESTS_CA_BUNDLE"] = kept


@pytest.fixture
def page():
    made = App()
    yield made
    made.stop()


@pytest.fixture(scope="module", params=[True, False], ids=["javascript", "no-javascript"])
def window(request):
    made = Browser(javascript=request.param, arguments=["--ignore-certificate-errors"])
    yield made
    made.close()


@pytest.fixture
def person(server, window):
    """A browser with nobody signed in."""
    window.open(server.house.url("/sign-in"))
    window.driver.delete_all_cookies()
    return window


def clicks(person, url, *, press=YES, sign_in=True):
    """What a person does whom an app sends to the hub; the words and the source of the consent page."""
    person.open(url)
    if sign_in:
        person.fill(email=OWNER[0], password=OWNER[1])
        person.press("Sign in")
        person.wait(lambda: "/sign-in" not in person.driver.current_url)
    person.wait_text(YES)
    said = person.text, person.driver.page_source
    person.press(press)
    return said


def api(server):
    return server.house.url("/api/v1/connections")


def issuer(server):
    """All that a client is told."""
    return server.house.url("")


# --- Authlib


def test_authlib_and_a_browser(server, person, page):
    app = server.register(name="Ledger", redirect_uris=[page.redirect_uri], website_url="https://ledger.example/",
                          privacy_policy_url="https://ledger.example/privacy")
    metadata = AuthorizationServerMetadata(requests.get(get_well_known_url(issuer(server), external=True), timeout=30).json())
    metadata.validate()
    with AuthlibSession(app.client_id, app.secret, scope="connections:read", redirect_uri=page.redirect_uri,
                        code_challenge_method="S256") as client:
        verifier = "v" * 60
        url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
        said, source = clicks(person, url)
        for words in ("Ledger", "Example", "owner@example.org", "to a program on this device"):
            assert words in said, words
        for link in ("https://ledger.example/", "https://ledger.example/privacy"):
            assert f'href="{link}"' in source, link
        token = client.fetch_token(metadata["token_endpoint"], authorization_response=page.answered(), state=state,
                                   code_verifier=verifier)
        assert client.get(api(server)).status_code == 200
        told = client.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
        assert told["active"] and told["client_id"] == app.client_id
        renewed = client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
        assert renewed["access_token"] != token["access_token"] and client.get(api(server)).status_code == 200
        assert client.revoke_token(metadata["revocation_endpoint"], token=renewed["refresh_token"]).status_code == 200
        assert client.get(api(server)).status_code == 401
    # What was allowed is remembered: the next time the browser is back at once.
    url, _ = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    person.open(url)
    assert "code=" in page.answered()


def test_authlib_is_told_of_a_denial(server, person, page):
    app = server.register(redirect_uris=[page.redirect_uri])
    client = AuthlibSession(app.client_id, app.secret, scope="connections:read", redirect_uri=page.redirect_uri,
                            code_challenge_method="S256")
    url, state = client.create_authorization_url(server.endpoint("authorization"), code_verifier="v" * 60)
    clicks(person, url, press=NO)
    told = page.answered()
    assert parameters(told)["error"] == "access_denied" and parameters(told)["state"] == state
    with pytest.raises(MissingCodeException):
        parse_authorization_code_response(told, state)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_for_an_app_itself(server, method):
    app = server.register()
    with AuthlibSession(app.client_id, app.secret, scope="connections:read", token_endpoint_auth_method=method,
                        token_endpoint=server.endpoint("token")) as client:
        token = client.fetch_token(server.endpoint("token"), grant_type="client_credentials")
        assert "refresh_token" not in token and client.get(api(server)).status_code == 200


def test_authlib_public(server, person, page):
    """A native app: no secret, and a port that it is given when it starts."""
    app = server.register(confidential=False, redirect_uris=["http://127.0.0.1/callback"])
    client = AuthlibSession(app.client_id, None, scope="connections:read", redirect_uri=page.redirect_uri,
                            token_endpoint_auth_method="none", code_challenge_method="S256")
    url, state = client.create_authorization_url(server.endpoint("authorization"), code_verifier="w" * 50)
    clicks(person, url)
    first = client.fetch_token(
        server.endpoint("token"), authorization_response=page.answered(), state=state, code_verifier="w" * 50)
    assert client.get(api(server)).status_code == 200
    second = client.refresh_token(server.endpoint("token"), refresh_token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"], "rotated"
    # A public app asks each time, since anybody may say that they are it.
    person.open(client.create_authorization_url(server.endpoint("authorization"), code_verifier="w" * 50)[0])
    person.wait_text(YES)


# --- requests-oauthlib


@pytest.mark.parametrize("confidential", [True, False], ids=["confidential", "public"])
def test_requests_oauthlib(server, confidential):
    app = server.register(confidential=confidential)
    client = OauthlibSession(app.client_id, redirect_uri=CALLBACK, scope=["connections:read", "audit:read"], pkce="S256")
    url, _ = client.authorization_url(server.endpoint("authorization"))
    seen = visit(server.person, url)
    answer = (seen if seen.left else seen.press(YES)).left
    more = {"client_secret": app.secret} if confidential else {"include_client_id": True}
    token = client.fetch_token(server.endpoint("token"), authorization_response=answer, **more)
    assert set(token["scope"]) == {"connections:read", "audit:read"} and client.get(api(server)).status_code == 200
    auth = {"auth": HTTPBasicAuth(app.client_id, app.secret)} if confidential else {"client_id": app.client_id}
    renewed = client.refresh_token(server.endpoint("token"), refresh_token=token["refresh_token"], **auth)
    assert renewed["access_token"] != token["access_token"] and client.get(api(server)).status_code == 200
    again = OauthlibSession(app.client_id, redirect_uri=CALLBACK, pkce="S256", state=client._state)
    again._code_verifier = client._code_verifier
    with pytest.raises(InvalidGrantError):
        again.fetch_token(server.endpoint("token"), authorization_response=answer, **more)


def test_requests_oauthlib_for_an_app_itself(server):
    app = server.register()
    client = OauthlibSession(client=BackendApplicationClient(app.client_id, scope=["connections:read"]))
    client.fetch_token(server.endpoint("token"), client_secret=app.secret, include_client_id=False,
                       auth=HTTPBasicAuth(app.client_id, app.secret))
    assert client.get(api(server)).status_code == 200


def test_requests_oauthlib_renews_by_itself(server):
    app = server.register()
    kept = []
    client = OauthlibSession(
        app.client_id, token={**app.tokens(), "expires_in": -10, "expires_at": 1}, auto_refresh_url=server.endpoint("token"),
        auto_refresh_kwargs={"client_id": app.client_id, "client_secret": app.secret}, token_updater=kept.append)
    assert client.get(api(server)).status_code == 200
    assert kept and kept[0]["refresh_token"]


# --- requests_oauth2client


def discovered(server, app, **more):
    """A client that is told the issuer, and checks it."""
    auth = more.pop("auth", None) or (ClientSecretBasic(app.client_id, app.secret) if app.secret else PublicApp(app.client_id))
    url = get_well_known_url(issuer(server), external=True)
    if not server.house.mount:
        assert url == oauth2_discovery_document_url(issuer(server))
    return OAuth2Client.from_discovery_endpoint(url, issuer=issuer(server), auth=auth, redirect_uri=CALLBACK, **more)


@pytest.mark.parametrize("confidential", [True, False], ids=["confidential", "public"])
def test_requests_oauth2client(server, confidential):
    app = server.register(confidential=confidential)
    client = discovered(server, app)
    assert client.authorization_response_iss_parameter_supported and client.code_challenge_method == "S256"
    # The library reads from the metadata that every answer names its issuer, and does not hand it on to what checks them.
    request = client.authorization_request(
        scope="connections:read audit:read",
        authorization_response_iss_parameter_supported=client.authorization_response_iss_parameter_supported)
    left = visit(server.person, str(request.uri)).press(YES).left
    response = request.validate_callback(left)
    token = client.authorization_code(response, validate=True)
    assert requests.get(api(server), auth=OAuth2AccessTokenAuth(client, token), timeout=30).status_code == 200
    narrower = client.refresh_token(token, scope="audit:read")
    assert narrower.scope == "audit:read"
    assert requests.get(api(server), auth=narrower, timeout=30).status_code == 403
    with pytest.raises(InvalidGrant):
        client.authorization_code(response)
    # The second use of the code has ended everything that it gave.
    assert requests.get(api(server), auth=narrower, timeout=30).status_code == 401
    # What a mixed-up or forged answer does to a client that looks.
    for change, raised in (({"iss": "https://evil.example"}, MismatchingIssuer), ({"state": "other"}, MismatchingState),
                           ({"iss": None}, MissingIssuer)):
        parts = {**dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(left).query)), **change}
        forged = CALLBACK + "?" + urllib.parse.urlencode({k: v for k, v in parts.items() if v})
        with pytest.raises(raised):
            request.validate_callback(forged)
    denied = client.authorization_request(scope="connections:read", prompt="consent")
    with pytest.raises(AuthorizationResponseError) as raised:
        denied.validate_callback(visit(server.person, str(denied.uri)).press(NO).left)
    assert raised.value.error == "access_denied"


@pytest.mark.parametrize("method", [ClientSecretBasic, ClientSecretPost])
def test_requests_oauth2client_for_an_app_itself(server, method):
    app = server.register()
    client = discovered(server, app, auth=method(app.client_id, app.secret))
    session = requests.Session()
    session.auth = OAuth2ClientCredentialsAuth(client, scope="connections:read")
    assert session.get(api(server), timeout=30).status_code == 200
    token = session.auth.token
    told = client.introspect_token(token)
    assert told["active"] and told["sub"] == app.client_id and told["iss"] == issuer(server)
    assert client.revoke_access_token(token)
    assert client.introspect_token(token) == {"active": False}
    assert requests.get(api(server), auth=token, timeout=30).status_code == 401


def test_requests_oauth2client_pushes_its_request(server):
    app = server.register()
    client = discovered(server, app)
    request = client.authorization_request(scope="connections:read")
    pushed = client.pushed_authorization_request(request)
    assert pushed.request_uri.startswith("urn:") and "connections" not in str(pushed.uri)
    response = request.validate_callback(visit(server.person, str(pushed.uri)).press(YES).left)
    assert requests.get(api(server), auth=client.authorization_code(response), timeout=30).status_code == 200


def test_requests_oauth2client_asks_for_a_resource(server):
    app = server.register()
    client = discovered(server, app)
    told = requests.get(requests.get(api(server), timeout=30).headers["WWW-Authenticate"].partition('resource_metadata="')[2]
                        .partition('"')[0], timeout=30).json()
    token = client.client_credentials(scope="connections:read", resource=told["resource"])
    assert requests.get(api(server), auth=token, timeout=30).status_code == 200


def test_a_device_without_a_browser(server, person):
    app = server.register(confidential=False, name="Television")
    # The one address that this library does not take from the metadata by itself.
    client = discovered(server, app, device_authorization_endpoint=server.endpoint("device_authorization"))
    asked = client.authorize_device(scope="connections:read")
    person.open(asked.verification_uri)
    person.fill(email=OWNER[0], password=OWNER[1]).press("Sign in")
    person.fill(user_code=asked.user_code.lower()).press("Go on")
    person.wait_text("Television")
    person.press(YES)
    person.wait_text("The device is connected")
    until(lambda: server.house.sql("SELECT COUNT(*) AS n FROM oauth_device_codes WHERE approved_at IS NOT NULL")[0]["n"], 20)
    # Asked now and not in a loop, since the job itself would wait by sleeping.
    token = DeviceAuthorizationPollingJob(client, asked).token_request()
    assert requests.get(api(server), auth=token, timeout=30).status_code == 200


# --- from a refusal to an access: nothing is configured but the address of the API


def test_a_client_that_knows_the_api_alone(server):
    refused = requests.get(api(server), timeout=30)
    assert refused.status_code == 401
    resource = re.search(r'resource_metadata="([^"]+)"', refused.headers["WWW-Authenticate"])[1]
    told = requests.get(resource, timeout=30).json()
    [found] = told["authorization_servers"]
    metadata = requests.get(get_well_known_url(found, external=True), timeout=30).json()
    assert metadata["issuer"] == found and api(server).startswith(told["resource"])
    app = server.register()
    client = OAuth2Client.from_discovery_document(metadata, issuer=found, client_id=app.client_id, client_secret=app.secret)
    token = client.client_credentials(scope="connections:read", resource=told["resource"])
    assert requests.get(api(server), auth=token, timeout=30).status_code == 200


def test_the_issuer_is_https(server):
    """> Its value MUST be a URL that uses the "https" scheme without any query or fragment components. RFC 9207 §2"""
    assert server.metadata["issuer"] == server.house.origin + server.house.mount
    for name, value in server.metadata.items():
        if isinstance(value, str):
            assert value.startswith("https://"), name
