"""Stand-ins for the services: each checks the credentials as the real one does and remembers what it was asked."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.parse

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from house import free_port

# What each service accepts. A test types these and later looks for them where they must not be.
TELEGRAM_TOKEN = "123456789:AAF0-telegram_token-never-to-be-seen"
SENDGRID_KEY = "SG.abcdefghijklmnopqrstuv.0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
OPENROUTER_KEY = "sk-or-v1-" + "0123456789abcdef" * 4
TWILIO_SID, TWILIO_TOKEN = "AC" + "00112233445566778899aabbccddeeff", "fedcba9876543210" * 2
AWS_ID, AWS_SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SMTP_USER, SMTP_PASSWORD = "mailer@example.org", "smtp-password-never-to-be-seen"

SENDGRID = {"api_key": SENDGRID_KEY, "from_email": "mailer@example.org"}
SECRETS = (TELEGRAM_TOKEN, SENDGRID_KEY, OPENROUTER_KEY, TWILIO_TOKEN, AWS_SECRET, SMTP_PASSWORD)


class Service:
    """An HTTP server on a free port of 127.0.0.1 that answers by a function of the request."""

    def __init__(self, origins, answer):
        self.origins, self.requests, self.delay = origins, [], 0.0
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                service.requests.append((self.command, self.path, dict(self.headers), body))
                if service.delay:
                    time.sleep(service.delay)
                status, value, kind = answer(self, body)
                data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_POST = do_HEAD = respond

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


JSON, XML = "application/json", "text/xml"


def telegram(request, body):
    """https://core.telegram.org/bots/api#making-requests"""
    if request.path == f"/bot{TELEGRAM_TOKEN}/sendMessage":
        if json.loads(body)["chat_id"].startswith("@nobody"):
            return 400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}, JSON
        return 200, {"ok": True, "result": {"message_id": 42}}, JSON
    if request.path.split("?")[0] == f"/bot{TELEGRAM_TOKEN}/getMe":
        me = {"id": 123456789, "is_bot": True, "first_name": "Example", "username": "example_bot"}
        return 200, {"ok": True, "result": me}, JSON
    if request.path.startswith(f"/bot{TELEGRAM_TOKEN}/"):
        return 404, {"ok": False, "error_code": 404, "description": "Not Found"}, JSON
    return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, JSON


def bearer(key, paths, good, bad):
    def answer(request, _):
        if request.headers.get("Authorization") != f"Bearer {key}":
            return 401, bad, JSON
        if request.path.split("?")[0] not in paths:
            return 404, {"error": "not found"}, JSON
        return 200, good, JSON
    return answer


def twilio(request, _):
    expected = base64.b64encode(f"{TWILIO_SID}:{TWILIO_TOKEN}".encode()).decode()
    if request.headers.get("Authorization") != f"Basic {expected}":
        return 401, {"code": 20003, "message": "Authenticate", "status": 401}, JSON
    path = request.path.split("?")[0]
    if path == f"/2010-04-01/Accounts/{TWILIO_SID}.json":
        return 200, {"sid": TWILIO_SID, "friendly_name": "Example", "status": "active", "type": "Full"}, JSON
    if path == f"/2010-04-01/Accounts/{TWILIO_SID}/Messages.json":
        return 200, {"messages": [], "page": 0, "page_size": 1}, JSON
    return 404, {"code": 20404, "message": "The requested resource was not found", "status": 404}, JSON


def canonical_query(query):
    quote = lambda text: urllib.parse.quote(text, safe="-_.~")  # noqa: E731
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    return "&".join(sorted(f"{quote(name)}={quote(value)}" for name, value in pairs))


def sigv4_matches(method, path, headers, body, host):
    """Computes AWS Signature Version 4 over the request as it arrived and compares it with the one it carries."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    scheme, _, rest = lower.get("authorization", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        return False
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    key_id, day, region, service, tail = parts["Credential"].split("/")
    if (key_id, service, tail) != (AWS_ID, "sts", "aws4_request") or not lower.get("x-amz-date", "").startswith(day):
        return False
    signed = parts["SignedHeaders"].split(";")
    if "host" not in signed or "x-amz-date" not in signed:
        return False
    lower["host"] = host
    path, _, query = path.partition("?")
    canonical = "\n".join([
        method, urllib.parse.quote(path, safe="/-_.~"), canonical_query(query),
        *(f"{name}:{' '.join(lower[name].split())}" for name in signed), "", ";".join(signed),
        hashlib.sha256(body).hexdigest(),
    ])
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", lower["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + AWS_SECRET).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), parts["Signature"])


AWS_HOSTS = ("sts.amazonaws.com", "sts.us-east-1.amazonaws.com", "sts.eu-central-1.amazonaws.com")


def aws(request, body):
    hosts = (request.headers.get("Host", ""), *AWS_HOSTS)
    if not any(sigv4_matches(request.command, request.path, request.headers, body, host) for host in hosts):
        error = "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>"
        return 403, error, XML
    asked = request.path.partition("?")[2] + "&" + body.decode()
    if "Action=GetCallerIdentity" not in asked:
        return 400, "<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>", XML
    identity = ("<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>"
                "<Arn>arn:aws:iam::123456789012:user/example</Arn><UserId>AIDAEXAMPLE</UserId>"
                "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
    return 200, identity, XML


class Mail:
    """An SMTP server that offers AUTH PLAIN and LOGIN and knows one account."""

    def __init__(self):
        self.attempts = []

        class Nothing:
            async def handle_DATA(self, server, session, envelope):
                return "250 OK"

        def authenticate(server, session, envelope, mechanism, data):
            assert isinstance(data, LoginPassword)
            self.attempts.append((mechanism, data.login.decode(), data.password.decode()))
            good = self.attempts[-1][1:] == (SMTP_USER, SMTP_PASSWORD)
            return AuthResult(success=good, handled=good, message=None if good else "535 5.7.8 Authentication failed")

        self.port = free_port()
        self.controller = Controller(
            Nothing(), hostname="127.0.0.1", port=self.port, authenticator=authenticate, auth_require_tls=False)
        self.controller.start()

    def stop(self):
        self.controller.stop()


class StandIns:
    """All of them, with the map that sends the hub to them."""

    def __init__(self):
        self.telegram = Service(["https://api.telegram.org"], telegram)
        self.sendgrid = Service(["https://api.sendgrid.com"], bearer(
            SENDGRID_KEY, ("/v3/scopes",), {"scopes": ["mail.send", "alerts.read"]},
            {"errors": [{"field": None, "message": "authorization required"}]}))
        self.openrouter = Service(["https://openrouter.ai"], bearer(
            OPENROUTER_KEY, ("/api/v1/auth/key", "/api/v1/key"),
            {"data": {"label": "sk-or-v1-012...def", "usage": 0, "limit": None, "is_free_tier": False}},
            {"error": {"message": "No auth credentials found", "code": 401}}))
        self.twilio = Service(["https://api.twilio.com"], twilio)
        self.aws = Service([f"https://{host}" for host in AWS_HOSTS], aws)
        self.mail = Mail()

    @property
    def http(self):
        return (self.telegram, self.sendgrid, self.openrouter, self.twilio, self.aws)

    def origin_map(self):
        return {origin: service.url for service in self.http for origin in service.origins}

    def settings(self, folder):
        """The settings that lead a hub here."""
        path = folder / "origins.json"
        path.write_text(json.dumps(self.origin_map()))
        return {"HUB_ORIGIN_MAP": path, "HUB_ALLOW_NETWORKS": "127.0.0.0/8"}

    def setups(self):
        """For each kind: provider, what is typed, the field that is the secret, and a wrong value of the right shape."""
        return {
            "telegram": ({"bot_token": TELEGRAM_TOKEN}, "bot_token", TELEGRAM_TOKEN[:-1] + "X"),
            "sendgrid": (SENDGRID, "api_key", SENDGRID_KEY[:-1] + "X"),
            "openrouter": ({"api_key": OPENROUTER_KEY}, "api_key", OPENROUTER_KEY[:-1] + "0"),
            "whatsapp": (
                {"account_sid": TWILIO_SID, "auth_token": TWILIO_TOKEN, "from_whatsapp": "+14155238886"},
                "auth_token", TWILIO_TOKEN[:-1] + "f"),
            "aws": (
                {"access_key_id": AWS_ID, "secret_access_key": AWS_SECRET, "region": "eu-central-1"},
                "secret_access_key", AWS_SECRET[:-1] + "Z"),
            "smtp": (
                {"host": "127.0.0.1", "port": str(self.mail.port), "security": "none", "username": SMTP_USER,
                 "password": SMTP_PASSWORD, "from_email": SMTP_USER},
                "password", SMTP_PASSWORD[:-1] + "x"),
        }

    def stop(self):
        for service in self.http:
            service.stop()
        self.mail.stop()
