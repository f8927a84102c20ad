"""A stand-in authorization server: Authlib's OAuth 2.0 provider behind an authorize page, with the ways in which services differ.

One server plays every service: it tells them apart by `Host`, which the hub keeps when HUB_ORIGIN_MAP sends it here, and
which a browser sends when it is told by --host-resolver-rules that the service's name is at this port. What the protocol
asks is Authlib's work: the code is bound to client, redirect address and PKCE challenge and used once, refresh tokens are
checked and rotated. What a `Dialect` (dialects.py) adds is how one service writes it.

    server = AuthServer()
    google = server.service("https://accounts.google.com", "https://oauth2.googleapis.com")
    google.client("id", "secret", "https://hub.example/connections/callback/google")
    house = House(folder, settings=server.settings(folder))

Switches of a service, all of which may be turned while it runs: `fail`, `delay`, `rotates`, `grace`, `lifetime`, `grants`
(the scopes that people allow), `issuer`, `drop_refresh_token`; counters: `calls["token"]`, `calls["refresh"]`,
`calls["revoke"]`, `calls["api"]`. Of a service with longer tokens for short ones `calls["lengthen"]` counts these exchanges.
"""

import collections
import dataclasses
import html
import http.server
import json
import secrets
import ssl
import subprocess
import threading
import time
import urllib.parse

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin, AuthorizationServer, ClientMixin, OAuth2Request, TokenMixin, grants)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc7636 import CodeChallenge

from dialects import HTML, JSON, Dialect, reads


# --- what Authlib asks of us: clients, codes, tokens


@dataclasses.dataclass
class Client(ClientMixin):
    client_id: str
    client_secret: str
    redirect_uris: list
    # Whether an address is registered with whatever query it has.
    takes_queries: bool = False

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.redirect_uris[0]

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        address = (redirect_uri or "").partition("?")[0] if self.takes_queries else redirect_uri
        return address in self.redirect_uris

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(self.client_secret, client_secret)

    def check_endpoint_auth_method(self, method, endpoint):
        return method != "none" or not self.client_secret

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token")


@dataclasses.dataclass
class Code(AuthorizationCodeMixin):
    code: str
    client_id: str
    redirect_uri: str
    scope: str
    user: str
    code_challenge: str
    code_challenge_method: str
    # The parameters of the authorization request.
    asked: dict

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


@dataclasses.dataclass
class Token(TokenMixin):
    access_token: str
    refresh_token: str
    scope: str
    client_id: str
    user: str
    issued: float
    expires_in: int
    revoked: bool = False
    replaced: bool = False
    # Whether it was given for another one.
    is_long: bool = False

    def check_client(self, client):
        return self.client_id == client.client_id

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.expires_in

    def is_expired(self):
        return time.time() > self.issued + self.expires_in

    def is_revoked(self):
        return self.revoked


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def save_authorization_code(self, code, request):
        data = request.payload.data
        self.server.service.codes[code] = Code(
            code, request.client.client_id, request.payload.redirect_uri, request.scope or "", request.user,
            data.get("code_challenge"), data.get("code_challenge_method"), dict(data))

    def query_authorization_code(self, code, client):
        found = self.server.service.codes.get(code)
        return found if found and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code):
        self.server.service.codes.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = CodeGrant.TOKEN_ENDPOINT_AUTH_METHODS

    @property
    def INCLUDE_NEW_REFRESH_TOKEN(self):  # noqa: N802  Authlib's name
        return self.server.service.rotates

    def authenticate_refresh_token(self, refresh_token):
        service = self.server.service
        found = next((token for token in service.tokens if token.refresh_token == refresh_token), None)
        if found is None or found.revoked or (found.replaced and not service.grace):
            return None
        return found

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        if self.server.service.rotates:
            refresh_token.replaced = True


class Server(AuthorizationServer):
    """Authlib's server, with requests and answers as plain values."""

    def __init__(self, service):
        super().__init__()
        self.service = service
        self.register_grant(CodeGrant, [CodeChallenge(required=False)])
        self.register_grant(RefreshGrant)
        self.register_token_generator("default", self.make_token)

    def make_token(self, grant_type, client, user=None, scope=None, expires_in=None, include_refresh_token=True):
        token = {"token_type": "Bearer", "access_token": "at-" + secrets.token_urlsafe(24)}
        if self.service.lifetime:
            token["expires_in"] = self.service.lifetime
        if include_refresh_token and (grant_type == "refresh_token" or self.service.gives_refresh_token):
            token["refresh_token"] = "rt-" + secrets.token_urlsafe(24)
        if scope is not None:
            token["scope"] = scope
        return token

    def query_client(self, client_id):
        return self.service.clients.get(client_id)

    def save_token(self, token, request):
        # A refresh that does not rotate keeps the refresh token that there is.
        refresh = token.get("refresh_token") or request.form.get("refresh_token")
        self.service.tokens.append(Token(
            token["access_token"], refresh, token.get("scope", ""), request.client.client_id, request.user,
            time.time(), token.get("expires_in", 10**9)))

    def send_signal(self, *_, **__):
        pass

    def create_oauth2_request(self, request):
        return request

    def handle_response(self, status, body, headers):
        return status, body, dict(headers)


class Request(OAuth2Request):
    """A request with its query and its form taken apart."""

    def __init__(self, method, uri, headers, query, form):
        # Authlib looks for this one alone.
        super().__init__(method, uri, headers={"Authorization": headers.get("authorization", "")})
        self._query, self._form = query, form
        self.payload = BasicOAuth2Payload({**query, **form})

    @property
    def args(self):
        return self._query

    @property
    def form(self):
        return self._form


# --- one service, and the server that plays them all


class Played:
    """One service as it is played: its clients, codes, tokens, switches and counters."""

    def __init__(self, origins, dialect):
        self.origins, self.dialect = list(origins), dialect
        self.clients, self.codes, self.tokens = {}, {}, []
        self.calls = collections.Counter()
        # What the token endpoint was sent, and where: forms with headers, and paths.
        self.seen, self.paths = [], []
        self.issuer = None
        self.rotates, self.grace, self.lifetime = dialect.rotates, dialect.grace, dialect.lifetime
        # Whether the code that is exchanged this moment brings one.
        self.gives_refresh_token = True
        # Scopes that people allow, when not all that is asked for; a function of those asked for.
        self.grants = None
        # (status, body) that the token endpoint gives instead of its own answer; for a refresh alone, and for both.
        self.fail = self.fail_refresh = None
        # Whether a refresh is done, and its answer lost on the way.
        self.loses_answers = False
        self.drop_refresh_token = False
        self.delay = 0.0
        self.user = "ana@example.com"
        self.lock = threading.RLock()
        self.server = Server(self)

    def client(self, client_id, client_secret, *redirect_uris):
        self.clients[client_id] = Client(client_id, client_secret, list(redirect_uris), self.dialect.takes_queries)
        return self

    def knows(self, pair):
        """Whether this is the id of a client, and its secret."""
        return pair in [(client.client_id, client.client_secret) for client in self.clients.values()]

    def find(self, text):
        return next((token for token in self.tokens if text and text in (token.access_token, token.refresh_token)), None)

    def alive(self, access_token):
        token = self.find(access_token)
        is_over = token is None or token.revoked or token.is_expired() or (token.replaced and not self.grace)
        return not is_over and token.access_token == access_token

    def revoke_all_of(self, token):
        """The whole grant ends: every token of the person at this client."""
        for other in self.tokens:
            if (other.client_id, other.user) == (token.client_id, token.user):
                other.revoked = True

    def pass_time(self, seconds):
        """Makes every token so much older."""
        for token in self.tokens:
            token.issued -= seconds

    def end_access(self):
        """Ends all access tokens before their time; refresh tokens work on."""
        for token in self.tokens:
            token.expires_in = -1

    def lengthened(self, token):
        """Another token of the same grant, which lives longer."""
        text = "at-long-" + secrets.token_urlsafe(24)
        self.tokens.append(dataclasses.replace(
            token, access_token=text, issued=time.time(), expires_in=self.dialect.long_life, is_long=True))
        return text

    # --- answering

    def answer(self, handler, method, path, query, headers, body):
        if path in self.dialect.authorize:
            return self.authorize(method, query, body)
        if path in self.dialect.token and method == "POST":
            self.paths.append(path)
            return self.token(query, headers, body)
        if path in self.dialect.lengthen and method == "GET":
            return self.lengthen(query)
        if self.dialect.revokes(path) and method in ("POST", "DELETE"):
            return self.revoke(method, headers, body)
        return self.api(method, path, headers)

    def authorize(self, method, query, body):
        """The page on which a person allows or denies."""
        if method == "POST":
            form = dict(urllib.parse.parse_qsl(body.decode()))
            query = dict(urllib.parse.parse_qsl(form.pop("query")))
            return self.decide(self.dialect.asked(query), form["decision"] == "allow")
        hidden = html.escape(urllib.parse.urlencode(query), quote=True)
        query = self.dialect.asked(query)
        client = self.clients.get(query.get("client_id"))
        if client is None or not client.check_redirect_uri(query.get("redirect_uri")):
            return 400, f"<h1>Error 400: redirect_uri_mismatch</h1><p>{html.escape(query.get('redirect_uri', ''))}</p>", HTML
        if self.dialect.requires_pkce and query.get("code_challenge_method") != "S256":
            return 400, "<h1>code_challenge is required</h1>", HTML
        asked = html.escape(query.get("scope", ""))
        page = (f"<!doctype html><link rel=icon href=data:,><title>Sign in</title><h1>{html.escape(self.origins[0])}</h1><p id=asked>{asked}</p>"
                f"<form method=post><input type=hidden name=query value=\"{hidden}\">"
                "<button name=decision value=allow>Allow</button><button name=decision value=deny>Deny</button></form>")
        return 200, page, HTML

    def decide(self, query, allowed):
        redirect = query["redirect_uri"]
        if not allowed:
            error = {"error": "access_denied", "error_description": "The user denied access", "state": query.get("state", "")}
            return self.back(redirect, self.dialect.callback(self, query, error))
        with self.lock:
            asked = query.get("scope", "").replace(",", " ")
            granted = " ".join(self.grants(asked.split())) if self.grants else asked
            uri = self.origins[0] + self.dialect.authorize[0] + "?" + urllib.parse.urlencode({**query, "scope": granted})
            request = Request("GET", uri, {}, {**query, "scope": granted}, {})
            try:
                grant = self.server.get_consent_grant(request, self.user)
                _, _, headers = self.server.create_authorization_response(request, self.user, grant)
            except OAuth2Error as error:
                return 400, f"<h1>{html.escape(str(error))}</h1>", HTML
        location = headers.get("Location", "")
        answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
        return self.back(redirect, self.dialect.callback(self, query, answer))

    @staticmethod
    def back(redirect, answer):
        return 302, redirect + ("&" if "?" in redirect else "?") + urllib.parse.urlencode(answer), "location"

    def token(self, query, headers, body):
        if self.dialect.takes_json != headers.get("content-type", "").startswith(JSON):
            return 400, {"error": "invalid_request", "error_description": "The body is of another type."}, JSON
        form = reads(headers, body)
        code = self.codes.get(form.get("code"))
        form = self.dialect.form(form, code)
        is_refresh = form.get("grant_type") == "refresh_token"
        with self.lock:
            self.calls["refresh" if is_refresh else "token"] += 1
            self.seen.append((dict(form), dict(headers)))
        if self.delay:
            time.sleep(self.delay)
        if failure := (is_refresh and self.fail_refresh) or self.fail:
            return (*failure, JSON)
        if self.dialect.requires_basic and not headers.get("authorization", "").startswith("Basic "):
            return self.dialect.token_error(self, 401, {"error": "invalid_client"}, is_refresh)
        with self.lock:
            self.gives_refresh_token = self.dialect.gives_refresh_token(code.asked if code else {}, form)
            request = Request("POST", self.origins[-1] + self.dialect.token[0], dict(headers), {}, form)
            status, answer, _ = self.server.create_token_response(request)
        if status != 200:
            return self.dialect.token_error(self, status, dict(answer), is_refresh)
        if is_refresh and self.loses_answers:
            return None
        if self.drop_refresh_token:
            answer.pop("refresh_token", None)
        return self.dialect.token_answer(self, dict(answer))

    def lengthen(self, query):
        with self.lock:
            token = self.find(query.get(self.dialect.parameter))
            is_refresh = token is None or token.is_long
            self.calls["refresh" if is_refresh else "lengthen"] += 1
            self.seen.append((dict(query), {}))
            if failure := (is_refresh and self.fail_refresh) or self.fail:
                return (*failure, JSON)
            return self.dialect.longer(self, query, token)

    def revoke(self, method, headers, body):
        with self.lock:
            self.calls["revoke"] += 1
            if self.fail:
                return (*self.fail, JSON)
            text = self.dialect.revoked(self, method, headers, reads(headers, body))
            if text is None:
                return 401, {"error": "invalid_client"}, JSON
            if token := self.find(text):
                if text == token.refresh_token or self.dialect.access_ends_grant:
                    self.revoke_all_of(token)
                else:
                    token.expires_in = -1
        return self.dialect.revoked_answer

    def api(self, method, path, headers):
        with self.lock:
            self.calls["api"] += 1
            text = self.dialect.bearer(headers)
            token = self.find(text)
        if not self.alive(text):
            return self.dialect.api_error(self)
        return self.dialect.api(self, method, path, token.user)


class AuthServer:
    """The port where all services are played: over HTTP for the hub, over TLS for browsers."""

    def __init__(self, folder=None):
        self.services = []
        self.plain = self.listen(None)
        self.secure = self.listen(folder) if folder else None
        self.url = f"http://127.0.0.1:{self.plain.server_port}"

    def service(self, *origins, dialect=Dialect()):
        """Plays a service at its origins, the one with the authorize page first."""
        played = Played(origins, dialect)
        self.services.append(played)
        return played

    def listen(self, folder):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path, _, query = self.path.partition("?")
                headers = {name.lower(): value for name, value in self.headers.items()}
                host = headers.get("host", "").partition(":")[0]
                played = owner.named(host)
                if played is None:
                    answer = 404, {"error": f"nobody plays {host}"}, JSON
                else:
                    answer = played.answer(
                        self, self.command, path, dict(urllib.parse.parse_qsl(query)), headers, body)
                if answer is None:
                    # As when the network fails after the service has done its part.
                    self.close_connection = True
                    return
                status, value, kind = answer
                data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
                self.send_response(status)
                if kind == "location":
                    self.send_header("Location", value)
                    data = b""
                else:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = respond

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if folder:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate(folder))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    def named(self, host):
        for played in self.services:
            if any(origin.partition("://")[2] == host for origin in played.origins):
                return played
        return None

    def origin_map(self):
        return {origin: self.url for played in self.services for origin in played.origins}

    def settings(self, folder):
        """The settings that lead a hub here."""
        path = folder / "auth-origins.json"
        path.write_text(json.dumps(self.origin_map()))
        return {"HUB_ORIGIN_MAP": path, "HUB_ALLOW_NETWORKS": "127.0.0.0/8"}

    def browser_arguments(self):
        """What leads a chromium here: the services' own names, at the port that speaks TLS."""
        hosts = {origin.partition("://")[2] for played in self.services for origin in played.origins}
        rules = ",".join(f"MAP {host}:443 127.0.0.1:{self.secure.server_port}" for host in sorted(hosts))
        return [f"--host-resolver-rules={rules}", "--ignore-certificate-errors"]

    def stop(self):
        for server in filter(None, (self.plain, self.secure)):
            server.shutdown()
            server.server_close()


def certificate(folder):
    """A certificate that nobody trusts, which the browser is told not to mind."""
    key, certificate = folder / "stand-in.key", folder / "stand-in.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=stand-in", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key
