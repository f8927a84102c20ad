"""Apps that people let into a hub, as their authors would write them by hand.

Requests are made of parameters alone, without any library's kindness, so that a test can send what no library would.
Where to send them the server's own metadata says.
"""

import base64
import hashlib
import html
import html.parser
import itertools
import re
import urllib.parse

import requests

from house import House

CALLBACK = "https://app.example/callback"
# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SETTINGS = {"HUB_GUESSES_PER_MINUTE": 1_000_000, "HUB_MAX_OAUTH_APPS_PER_USER": 1_000}
REFRESH = re.compile(r"\d+;\s*url=(.+)", re.I)
# What the buttons of the consent page say.
YES, NO = "Allow access", "Don’t allow"


def s256(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def parameters(address):
    """The query of an address; a name that stands in it twice fails the test."""
    pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs), address
    return dict(pairs)


class Forms(html.parser.HTMLParser):
    """The forms of a page: `found` has (action, fields, buttons), a button being (name, value, words)."""

    def __init__(self, text):
        super().__init__()
        self.found, self.button, self.select = [], None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        is_given, attributes = dict(attributes), {name: value or "" for name, value in attributes}
        if tag == "form":
            self.found.append((attributes.get("action", ""), {}, []))
        if not self.found:
            return
        _, fields, buttons = self.found[-1]
        name, value = attributes.get("name"), attributes.get("value", "")
        if tag == "button":
            self.button = [name, value, ""]
            buttons.append(self.button)
        elif tag == "input" and attributes.get("type") == "submit":
            buttons.append([name, value, value])
        elif tag == "input" and name and attributes.get("type") in ("checkbox", "radio"):
            if "checked" in is_given:
                fields[name] = [*fields.get(name, []), value or "on"]
        elif tag in ("input", "textarea") and name:
            fields[name] = value
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in is_given or self.select not in fields):
            fields[self.select] = value

    def handle_endtag(self, tag):
        if tag == "button":
            self.button = None
        elif tag == "select":
            self.select = None

    def handle_data(self, data):
        if self.button:
            self.button[2] += data


class Visit:
    """Where a browser without JavaScript stands: before a page of the hub, or sent to `left`, an address elsewhere."""

    def __init__(self, session, origin, answer):
        self.session, self.origin, self.left = session, origin, None
        for _ in range(10):
            location = answer.headers.get("Location")
            if not location:
                break
            location = urllib.parse.urljoin(answer.url, location)
            if not location.startswith(origin + "/"):
                self.left = location
                break
            answer = session.get(location, timeout=30, allow_redirects=False)
        self.answer = answer
        # A form may not lead elsewhere (`form-action`), so that the page which follows it does.
        found = REFRESH.fullmatch(answer.headers.get("Refresh", ""))
        if found and not self.left:
            self.left = found[1]
            assert html.escape(self.left) in answer.text, "who is not led there finds a link"

    @property
    def text(self):
        return html.unescape(self.answer.text)

    @property
    def outcome(self):
        """The parameters that the app is sent; fails when there are none."""
        assert self.left, f"{self.answer.url} {self.answer.status_code}: {self.text[:3000]}"
        return parameters(self.left)

    def form(self, words):
        """(address, fields) that pressing the button with these words would send."""
        for action, fields, buttons in Forms(self.answer.text).found:
            for name, value, said in buttons:
                if said.strip().startswith(words):
                    return urllib.parse.urljoin(self.answer.url, action), {**fields, **({name: value} if name else {})}
        raise AssertionError(f"{self.answer.url} {self.answer.status_code} has no button {words}: {self.text[:3000]}")

    def press(self, words, **more):
        address, fields = self.form(words)
        answer = self.session.post(address, data={**fields, **more}, timeout=30, allow_redirects=False)
        return Visit(self.session, self.origin, answer)


def visit(person, address):
    """A person opens an address."""
    session = person.session if person else requests.Session()
    answer = session.get(address, timeout=30, allow_redirects=False)
    return Visit(session, origin_of(address), answer)


def origin_of(address):
    return "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(address))


class Server:
    """The authorization server of a house, known by its metadata alone."""

    def __init__(self, house):
        self.house, self.api = house, house.api()
        self.person = house.sign_in()
        answer = requests.get(house.origin + "/.well-known/oauth-authorization-server" + house.mount, timeout=30)
        assert answer.status_code == 200, answer.text
        self.metadata = answer.json()
        self.numbers = itertools.count(1)

    def endpoint(self, name):
        return self.metadata[f"{name}_endpoint"]

    def register(self, **fields):
        answer = self.registered(**fields)
        assert answer.status_code == 201, answer.text
        return App(self, answer.json())

    def registered(self, **fields):
        """The answer to a registration; what is not said is a confidential app that may read connections."""
        return self.api.post("/oauth-apps", {
            "name": f"App {next(self.numbers)}", "redirect_uris": [CALLBACK], "confidential": True,
            "scopes": ["connections:read", "audit:read"], **fields})

    def ask(self, token, path="/connections", method="GET", **options):
        """The hub's own API with this access token."""
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return requests.request(method, self.house.url("/api/v1" + path), headers=headers, timeout=30, **options)


class App:
    """One app, with the secret that was shown once."""

    def __init__(self, server, body):
        self.server, self.body = server, body
        self.id, self.client_id, self.secret = body["id"], body["client_id"], body.get("client_secret")
        self.redirect_uri = (body["redirect_uris"] or [None])[0]

    def url(self, **changes):
        """An authorization request; what is changed to None is left out."""
        wanted = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri, "state": "st4te",
            "scope": "connections:read", "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changes}
        pairs = {name: value for name, value in wanted.items() if value is not None}
        return self.server.endpoint("authorization") + "?" + urllib.parse.urlencode(pairs)

    def asks(self, person=None, **changes):
        """A person is sent to the hub by this app."""
        return visit(person or self.server.person, self.url(**changes))

    def allowed(self, person=None, **changes):
        """The same, and the person allows it, where they are asked."""
        asked = self.asks(person, **changes)
        return asked if asked.left else asked.press(YES)

    def code(self, person=None, **changes):
        outcome = self.allowed(person, **changes).outcome
        assert "code" in outcome, outcome
        return outcome["code"]

    def post(self, endpoint, form, auth="default", **options):
        """A form to an endpoint. `auth`: basic, post, none, or a pair for Basic; by default what the app is made for."""
        form = dict(form) if not isinstance(form, (str, bytes)) else form
        if auth == "default":
            auth = "basic" if self.secret else "none"
        if auth == "basic":
            options["auth"] = (urllib.parse.quote(self.client_id, safe=""), urllib.parse.quote(self.secret, safe=""))
        elif auth == "post":
            form |= {"client_id": self.client_id, "client_secret": self.secret}
        elif auth == "none":
            form = form if isinstance(form, (str, bytes)) else {"client_id": self.client_id, **form}
        elif auth:
            options["auth"] = auth
        if isinstance(form, dict):
            form = {name: value for name, value in form.items() if value is not None}
        else:
            options["headers"] = {"Content-Type": "application/x-www-form-urlencoded", **options.get("headers", {})}
        return requests.post(self.server.endpoint(endpoint), data=form, timeout=60, **options)

    def redeem(self, code, auth="default", **changes):
        """The answer to a code."""
        return self.post("token", {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri,
                                   "code_verifier": VERIFIER, **changes}, auth)

    def refresh(self, token, auth="default", **more):
        return self.post("token", {"grant_type": "refresh_token", "refresh_token": token, **more}, auth)

    def for_itself(self, auth="default", **more):
        return self.post("token", {"grant_type": "client_credentials", **more}, auth)

    def tokens(self, person=None, **changes):
        """Access and refresh token of a person who allowed it."""
        answer = self.redeem(self.code(person, **changes), redirect_uri=changes.get("redirect_uri", self.redirect_uri))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def introspects(self, token, **more):
        answer = self.post("introspection", {"token": token, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def revokes(self, token, **more):
        return self.post("revocation", {"token": token, **more})


def refused(answer, error, status=400):
    """Fails unless this is an error as RFC 6749 §5.2 has it, with a hint for the app's author."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"].split(";")[0] == "application/json", answer.headers
    body = answer.json()
    assert body["error"] == error, body
    assert len(body["error_description"]) > 10, body
    return body


def furnish(folder, **options):
    """A house whose apps are as many as a test wants, and its server."""
    settings = {**SETTINGS, **options.pop("settings", {})}
    house = House(folder, settings=settings, **options)
    try:
        return house, Server(house.start())
    except BaseException:
        house.stop()
        raise
