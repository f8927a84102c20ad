"""How services differ from RFC 6749, as their own documentation tells it, for the stand-in of authserver.py.

A dialect takes a request apart as its service does and refuses what the service refuses: a form where JSON is taken, no
proof where one is asked for, a client that shows itself in another way. So a test that connects has proved the quirk.
"""

import base64
import hashlib
import hmac
import json
import re
import time
import urllib.parse

FORM, JSON, HTML = "application/x-www-form-urlencoded", "application/json", "text/html; charset=utf-8"


class Dialect:
    """A service that does as RFC 6749 says. Others override what they write differently."""

    authorize = ("/authorize",)
    token = ("/token",)
    revoke = ("/revoke",)
    # Where a GET exchanges a token for one that lives longer.
    lengthen = ()
    requires_pkce = False
    requires_basic = False
    takes_json = False
    # Whether a redirect address may have any query.
    takes_queries = False
    # Whether a refresh gives another refresh token; whether the one before works on; how long an access token lives, or
    # None when the answer does not say.
    rotates, grace, lifetime = False, False, 3600
    # Whether the whole grant ends where an access token is revoked; with its refresh token it ends everywhere.
    access_ends_grant = True

    def asked(self, query):
        """The authorization request in the standard's words."""
        return query

    def form(self, form, code):
        """The token request in the standard's words; `code` is the one that it brings, if there is such a one."""
        return form

    def revokes(self, path):
        return path in self.revoke

    def callback(self, service, query, answer):
        """The parameters of the way back: `answer` has code and state, or error and state."""
        return {**answer, "iss": service.issuer} if service.issuer else answer

    def gives_refresh_token(self, asked, form):
        """Whether there is one in the answer to a code: `asked` is the authorization request, `form` the token request."""
        return True

    def token_answer(self, service, token):
        return 200, token, JSON

    def token_error(self, service, status, error, is_refresh):
        return status, error, JSON

    def revoked(self, service, method, headers, form):
        """The token that a call for revoking names, by one who may; None for anybody else (RFC 7009 §2.1)."""
        return form.get("token") if method == "POST" and service.knows(basic(headers) or body(form)) else None

    revoked_answer = 200, {}, JSON

    def bearer(self, headers):
        """The access token that a call to the API brings."""
        return bearer(headers)

    def api(self, service, method, path, user):
        """What the service's cheapest read says to whose token is right."""
        return 200, {"sub": "1", "id": "1", "email": user, "name": user.partition("@")[0]}, JSON

    def api_error(self, service):
        return 401, {"error": "invalid_token", "error_description": "The access token is not valid."}, JSON


def basic(headers):
    """User and password of HTTP Basic, each written as in a form (RFC 6749 §2.3.1); None when there is none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return None
    user, _, password = base64.b64decode(value).decode().partition(":")
    return urllib.parse.unquote_plus(user), urllib.parse.unquote_plus(password)


def body(form):
    return form.get("client_id"), form.get("client_secret")


def bearer(headers):
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value if scheme == "Bearer" else ""


class Google(Dialect):
    """https://developers.google.com/identity/protocols/oauth2/web-server"""

    authorize = ("/o/oauth2/v2/auth",)

    def gives_refresh_token(self, asked, form):
        return asked.get("access_type") == "offline" and asked.get("prompt") == "consent"

    def token_answer(self, service, token):
        long = {name: f"https://www.googleapis.com/auth/userinfo.{name}" for name in ("email", "profile")}
        token["scope"] = " ".join(long.get(scope, scope) for scope in token.get("scope", "").split())
        return 200, token, JSON

    def revoked(self, service, method, headers, form):
        return form.get("token")

    def api(self, service, method, path, user):
        if path.startswith("/drive/"):
            quota = {"limit": "16106127360", "usage": "1024"}
            return 200, {"id": "root", "user": {"displayName": "Ana", "emailAddress": user}, "storageQuota": quota}, JSON
        if path.startswith("/calendar/"):
            return 200, {"items": [{"id": user, "summary": user, "timeZone": "Europe/Berlin"}]}, JSON
        return super().api(service, method, path, user)


class Microsoft(Dialect):
    """https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow"""

    authorize = ("/common/oauth2/v2.0/authorize", "/contoso.example/oauth2/v2.0/authorize")
    token = ("/common/oauth2/v2.0/token", "/contoso.example/oauth2/v2.0/token")
    revoke = ()
    requires_pkce = rotates = grace = True

    def gives_refresh_token(self, asked, form):
        return "offline_access" in asked.get("scope", "").split()

    def token_answer(self, service, token):
        scopes = [scope for scope in token.get("scope", "").split() if scope != "offline_access"]
        token["scope"] = " ".join(f"https://graph.microsoft.com/{scope}" for scope in scopes)
        return 200, {**token, "ext_expires_in": token["expires_in"]}, JSON

    def token_error(self, service, status, error, is_refresh):
        words = "AADSTS70008: The provided authorization code or refresh token has expired due to inactivity."
        return status, {**error, "error_description": words, "error_codes": [70008]}, JSON

    def api(self, service, method, path, user):
        return 200, {"userPrincipalName": user, "displayName": "Ana", "value": [{"displayName": "Sales"}]}, JSON

    def api_error(self, service):
        return 401, {"error": {"code": "InvalidAuthenticationToken", "message": "Lifetime validation failed."}}, JSON


class Slack(Dialect):
    """https://docs.slack.dev/authentication/installing-with-oauth: every answer is 200, `ok` says whether it is one.

    With token rotation, that is: https://docs.slack.dev/authentication/using-token-rotation.
    """

    authorize = ("/oauth/v2/authorize",)
    token = ("/api/oauth.v2.access",)
    revoke = ("/api/auth.revoke",)
    rotates, lifetime = True, 43_200
    # Whether a person's token is granted, and no bot's.
    is_user = False

    def token_answer(self, service, token):
        token = {**token, "scope": ",".join(token.get("scope", "").split()), "token_type": "user" if self.is_user else "bot"}
        person = {"id": "U1234", **(token if self.is_user else {})}
        return 200, {
            "ok": True, **({} if self.is_user else token), "bot_user_id": "U0KRQLJ9H", "app_id": "A0KRD7HC3",
            "team": {"name": "Example team", "id": "T9TK3CUKW"}, "enterprise": None, "authed_user": person}, JSON

    def token_error(self, service, status, error, is_refresh):
        ended = "invalid_refresh_token" if is_refresh else "invalid_code"
        name = {"invalid_grant": ended, "invalid_client": "bad_client_secret"}
        return 200, {"ok": False, "error": name.get(error.get("error"), error.get("error"))}, JSON

    def revoked(self, service, method, headers, form):
        return bearer(headers)

    revoked_answer = 200, {"ok": True, "revoked": True}, JSON

    def api(self, service, method, path, user):
        return 200, {"ok": True, "url": "https://example.slack.com/", "team": "Example team", "user": "hub",
                     "team_id": "T9TK3CUKW", "user_id": "W12345678"}, JSON

    def api_error(self, service):
        return 200, {"ok": False, "error": "invalid_auth"}, JSON


class Discord(Dialect):
    """https://discord.com/developers/docs/topics/oauth2"""

    authorize = ("/oauth2/authorize",)
    token = ("/api/oauth2/token",)
    revoke = ("/api/oauth2/token/revoke",)
    rotates, lifetime = True, 604_800

    def token_answer(self, service, token):
        return 200, {**token, "guild": {"id": "290926798626357999", "name": "Example server"}}, JSON

    def revoked(self, service, method, headers, form):
        return form.get("token") if service.knows(basic(headers)) else None

    def api(self, service, method, path, user):
        return 200, {"id": "80351110224678912", "username": user.partition("@")[0], "bot": False}, JSON

    def api_error(self, service):
        return 401, {"message": "401: Unauthorized", "code": 0}, JSON


class Notion(Dialect):
    """https://developers.notion.com/docs/authorization: JSON, Basic, and no scopes."""

    authorize = ("/v1/oauth/authorize",)
    token = ("/v1/oauth/token",)
    revoke = ("/v1/oauth/revoke",)
    requires_basic = takes_json = rotates = True
    lifetime = None

    def token_answer(self, service, token):
        token.pop("scope", None)
        return 200, {
            **token, "token_type": "bearer", "bot_id": "b3d9c9e4", "workspace_name": "Example workspace",
            "workspace_id": "w1", "workspace_icon": None, "owner": {"type": "user", "user": {"id": "u1"}}}, JSON

    def revoked(self, service, method, headers, form):
        return form.get("token") if service.knows(basic(headers)) and "notion-version" in headers else None

    def api(self, service, method, path, user):
        return 200, {"object": "user", "id": "b3d9c9e4", "type": "bot", "name": "Hub",
                     "bot": {"owner": {"type": "workspace"}, "workspace_name": "Example workspace"}}, JSON

    def api_error(self, service):
        return 401, {"object": "error", "status": 401, "code": "unauthorized", "message": "API token is invalid."}, JSON


class Shopify(Dialect):
    """https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant"""

    authorize = ("/admin/oauth/authorize",)
    token = ("/admin/oauth/access_token",)
    revoke = ("/admin/api_permissions/current.json",)
    # The refresh token before works until the new one was used.
    rotates = grace = True

    def callback(self, service, query, answer):
        client = service.clients[query["client_id"]]
        shop = service.origins[0].partition("://")[2]
        answer = {**answer, "shop": shop, "timestamp": str(int(time.time())), "host": base64.b64encode(shop.encode()).decode()}
        message = "&".join(f"{name}={answer[name]}" for name in sorted(answer))
        answer["hmac"] = hmac_hex(client.client_secret, message)
        return answer

    def gives_refresh_token(self, asked, form):
        return form.get("expiring") == "1"

    def token_answer(self, service, token):
        # A right to write is one to read, which is not named again.
        scopes = token.get("scope", "").split()
        token["scope"] = ",".join(
            scope for scope in scopes
            if not (scope.startswith("read_") and scope.replace("read_", "write_", 1) in scopes))
        token.pop("token_type")
        if "refresh_token" in token:
            token["refresh_token_expires_in"] = 7_776_000
        return 200, token, JSON

    def token_error(self, service, status, error, is_refresh):
        # https://community.shopify.dev/t/35182 shows the second one.
        if error.get("error") != "invalid_grant":
            return status, error, JSON
        if is_refresh:
            return 401, {"error": "invalid_request",
                         "error_description": "This request requires an active refresh_token"}, JSON
        return 400, {"error": "invalid_request",
                     "error_description": "The authorization code was not found or was already used"}, JSON

    def revoked(self, service, method, headers, form):
        return self.bearer(headers) if method == "DELETE" else None

    def bearer(self, headers):
        return headers.get("x-shopify-access-token", "")

    def api(self, service, method, path, user):
        shop = service.origins[0].partition("://")[2]
        return 200, {"shop": {"id": 1, "name": "Acme", "email": user, "domain": "acme.example", "plan_name": "basic",
                              "plan_display_name": "Basic", "myshopify_domain": shop}}, JSON

    def api_error(self, service):
        return 401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, JSON


class GitHub(Dialect):
    """https://docs.github.com/en/apps/oauth-apps: a form unless JSON is asked for, and errors with status 200.

    Of a GitHub App whose tokens end: https://docs.github.com/en/apps/creating-github-apps/refreshing-user-access-tokens.
    """

    authorize = ("/login/oauth/authorize",)
    token = ("/login/oauth/access_token",)
    rotates, lifetime = True, 28_800

    def token_answer(self, service, token):
        token["scope"] = ",".join(token.get("scope", "").split())
        if "refresh_token" in token:
            token["refresh_token_expires_in"] = 15_811_200
        return 200, urllib.parse.urlencode(token), FORM

    def token_error(self, service, status, error, is_refresh):
        ended = "bad_refresh_token" if is_refresh else "bad_verification_code"
        name = {"invalid_grant": ended, "invalid_client": "incorrect_client_credentials"}
        return 200, {"error": name.get(error["error"], error["error"]), "error_description": "That did not work."}, JSON

    def revoked(self, service, method, headers, form):
        is_right = method == "DELETE" and service.knows(basic(headers))
        return form.get("access_token") if is_right else None

    def revokes(self, path):
        return re.fullmatch("/applications/[^/]+/grant", path) is not None

    revoked_answer = 204, "", JSON

    def api(self, service, method, path, user):
        return 200, {"login": user.partition("@")[0], "id": 1, "name": "Ana"}, JSON

    def api_error(self, service):
        return 401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}, JSON


class Airtable(Dialect):
    """https://airtable.com/developers/web/api/oauth-reference: PKCE and Basic are asked for, and tokens work once."""

    authorize = ("/oauth2/v1/authorize",)
    token = ("/oauth2/v1/token",)
    revoke = ()
    requires_pkce = requires_basic = rotates = True

    def token_answer(self, service, token):
        return 200, {**token, "refresh_expires_in": 5_184_000}, JSON


class HubSpot(Dialect):
    """https://developers.hubspot.com/docs/api/working-with-oauth: scopes are not named in the answer."""

    authorize = ("/oauth/authorize",)
    token = ("/oauth/2026-03/token",)
    revoke = ("/oauth/2026-03/token/revoke",)
    lifetime = 1800

    def token_answer(self, service, token):
        token.pop("scope", None)
        return 200, {**token, "hub_id": 62515}, JSON

    def token_error(self, service, status, error, is_refresh):
        if error.get("error") != "invalid_grant":
            return status, error, JSON
        if is_refresh:
            return 400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, JSON
        return 400, {"status": "BAD_AUTH_CODE", "message": "missing or unknown auth code"}, JSON

    def revoked(self, service, method, headers, form):
        return form.get("token") if service.knows(body(form)) else None

    def api(self, service, method, path, user):
        return 200, {"portalId": 62515, "accountType": "STANDARD", "timeZone": "Europe/Berlin"}, JSON

    def api_error(self, service):
        return 401, {"status": "error", "message": "The OAuth token used to make this call expired 1 second(s) ago.",
                     "category": "EXPIRED_AUTHENTICATION"}, JSON


class Stripe(Dialect):
    """https://docs.stripe.com/connect/oauth-reference: the platform's key is its secret, and an account is let go of."""

    authorize = ("/oauth/authorize",)
    token = ("/oauth/token",)
    revoke = ("/oauth/deauthorize",)
    lifetime = None
    account = "acct_1032D82eZvKYlo2C"

    def token_answer(self, service, token):
        return 200, {**token, "token_type": "bearer", "livemode": False, "stripe_user_id": self.account}, JSON

    def revoked(self, service, method, headers, form):
        if not service.knows((form.get("client_id"), bearer(headers))) or form.get("stripe_user_id") != self.account:
            return None
        return service.tokens[-1].access_token

    revoked_answer = 200, {"stripe_user_id": account}, JSON

    def api(self, service, method, path, user):
        return 200, {"id": self.account, "country": "DE", "settings": {"dashboard": {"display_name": "Acme"}}}, JSON

    def api_error(self, service):
        return 401, {"error": {"message": "Invalid API Key provided: sk_test_****", "type": "invalid_request_error"}}, JSON


class Meta(Dialect):
    """A token of an hour first, which is exchanged for one of sixty days, which renews itself: no refresh token at all."""

    revoke = ()
    long_life = 5_184_000
    # How old a token must be before it is renewed.
    minimum_age = 0
    parameter, first, again = "fb_exchange_token", "fb_exchange_token", "fb_exchange_token"

    def gives_refresh_token(self, asked, form):
        return False

    def token_error(self, service, status, error, is_refresh):
        if error.get("error") != "invalid_grant":
            return status, error, JSON
        words = "This authorization code has been used."
        return 400, {"error": {"message": words, "type": "OAuthException", "code": 100}}, JSON

    def longer(self, service, query, token):
        """What the exchange of a token says, or why not: `token` is the one that was sent, None for one nobody knows."""
        # Instagram asks for the secret alone.
        secrets = [client.client_secret for client in service.clients.values()]
        is_known = service.knows(body(query)) if "client_id" in query else query.get("client_secret") in secrets
        is_first = token is not None and not token.is_long
        if query.get("grant_type") != (self.first if is_first else self.again) or (is_first and not is_known):
            return 400, {"error": {"message": "Unsupported request", "type": "IGApiException", "code": 100}}, JSON
        if token is None or token.revoked or token.is_expired():
            return self.api_error(service)
        if not is_first and time.time() < token.issued + self.minimum_age:
            return 400, {"error": {"message": "The token is too young.", "type": "IGApiException", "code": 10}}, JSON
        return 200, {"access_token": service.lengthened(token), "token_type": "bearer", "expires_in": self.long_life}, JSON

    def api_error(self, service):
        words = "Error validating access token: Session has expired."
        return 400, {"error": {"message": words, "type": "OAuthException", "code": 190}}, JSON


class Facebook(Meta):
    """https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow"""

    authorize = ("/v22.0/dialog/oauth",)
    token = lengthen = ("/v22.0/oauth/access_token",)
    revoke = ("/v22.0/me/permissions",)

    def token_answer(self, service, token):
        token.pop("scope", None)
        return 200, {**token, "token_type": "bearer"}, JSON

    def revoked(self, service, method, headers, form):
        return bearer(headers) if method == "DELETE" else None

    revoked_answer = 200, {"success": True}, JSON

    def api(self, service, method, path, user):
        return 200, {"id": "10158", "name": "Ana"}, JSON


class Instagram(Meta):
    """https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login"""

    authorize = ("/oauth/authorize",)
    token = ("/oauth/access_token",)
    lengthen = ("/access_token", "/refresh_access_token")
    minimum_age = 86_400
    parameter, first, again = "access_token", "ig_exchange_token", "ig_refresh_token"

    def callback(self, service, query, answer):
        # It stands behind the code, and is no part of it.
        return {**answer, "code": answer["code"] + "#_"} if "code" in answer else answer

    def token_answer(self, service, token):
        permissions = ",".join(token.get("scope", "").split())
        return 200, {"data": [{
            "access_token": token["access_token"], "user_id": "17841405793187218", "permissions": permissions}]}, JSON

    def api(self, service, method, path, user):
        return 200, {"user_id": "17841405793187218", "username": user.partition("@")[0]}, JSON


class OpenRouter(Dialect):
    """https://openrouter.ai/docs/use-cases/oauth-pkce: no client, no state of its own, and the code becomes a key."""

    authorize = ("/auth",)
    token = ("/api/v1/auth/keys",)
    revoke = ()
    requires_pkce = takes_json = takes_queries = True
    lifetime = None

    def asked(self, query):
        assert "client_id" not in query and "state" not in query, "this service knows neither"
        return {**query, "response_type": "code", "client_id": "anybody", "redirect_uri": query.get("callback_url")}

    def form(self, form, code):
        assert set(form) == {"code", "code_verifier", "code_challenge_method"}, sorted(form)
        redirect = {"redirect_uri": code.redirect_uri} if code else {}
        return {**form, **redirect, "grant_type": "authorization_code", "client_id": "anybody"}

    def callback(self, service, query, answer):
        return {name: value for name, value in answer.items() if name != "state"}

    def gives_refresh_token(self, asked, form):
        return False

    def token_answer(self, service, token):
        return 200, {"key": token["access_token"], "user_id": "user_2dHFtVWx2n56w6HkM0000000000"}, JSON

    def token_error(self, service, status, error, is_refresh):
        return 403, {"error": {"message": "Invalid code or code_verifier", "code": 403}}, JSON

    def api(self, service, method, path, user):
        return 200, {"data": {"label": "sk-or-v1-012...def", "usage": 0, "limit": None}}, JSON

    def api_error(self, service):
        return 401, {"error": {"message": "User not found.", "code": 401}}, JSON


def hmac_hex(key, message):
    return hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()


def reads(headers, text):
    """A body as it says of itself that it is written."""
    if not text:
        return {}
    return json.loads(text) if headers.get("content-type", "").startswith(JSON) else dict(urllib.parse.parse_qsl(text.decode()))
