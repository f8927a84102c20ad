"""Services that send webhooks: each signs with the package that its makers publish."""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from nacl.signing import SigningKey
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator


def source(api, provider, **terms):
    """Makes a source; the answer holds its address and what was made for it."""
    answer = api.post("/inbound-sources", {"provider": provider, **terms})
    assert answer.status_code == 201, answer.text
    return answer.json()


def send(url, body, headers, session=requests, **more):
    return session.post(url, data=body, headers=headers, timeout=60, allow_redirects=False, **more)


class Slack:
    """A Slack app."""

    provider, secret = "slack", "8f742231b10e8888abcd99baac2bcd1e"

    def __init__(self, url=None):
        self.verifier = SignatureVerifier(self.secret)

    def sign(self, body, at=None):
        moment = str(int(at or time.time()))
        return {"X-Slack-Request-Timestamp": moment, "Content-Type": "application/json",
                "X-Slack-Signature": self.verifier.generate_signature(timestamp=moment, body=body)}

    @staticmethod
    def body(id="Ev1"):
        return json.dumps({"type": "event_callback", "event_id": id, "event": {"type": "message", "text": "é"}})


class Stripe:
    """Stripe, whose package checks what it never has to sign."""

    provider, secret = "stripe", "whsec_test_secret"

    def __init__(self, url=None):
        from stripe import WebhookSignature
        self.signature = WebhookSignature

    def sign(self, body, at=None):
        moment = int(at or time.time())
        code = self.signature._compute_signature(f"{moment}.{body}", self.secret)
        header = f"t={moment},v1={code}"
        assert self.signature.verify_header(body, header, self.secret, None)
        return {"Stripe-Signature": header, "Content-Type": "application/json; charset=utf-8"}

    @staticmethod
    def body(id="evt_1"):
        return json.dumps({"id": id, "object": "event", "type": "payment_intent.succeeded", "data": {}})


class Twilio:
    """Twilio, which signs the address that it was given and every field."""

    provider, secret = "twilio", "12345678901234567890123456789012"

    def __init__(self, url=None):
        self.url, self.validator = url, RequestValidator(self.secret)

    def sign(self, body, at=None):
        fields = dict(urllib.parse.parse_qsl(body))
        return {"X-Twilio-Signature": self.validator.compute_signature(self.url, fields),
                "Content-Type": "application/x-www-form-urlencoded"}

    @staticmethod
    def body(id="SM1"):
        return urllib.parse.urlencode({"MessageSid": id, "SmsStatus": "received", "Body": "hello & good bye", "From": "+1"})


class SendGrid:
    """SendGrid's event webhook, whose package checks what is signed here by the same curve."""

    provider = "sendgrid"

    def __init__(self, url=None):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secret = base64.b64encode(self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()

    def sign(self, body, at=None):
        from sendgrid.helpers.eventwebhook import EventWebhook
        moment = str(int(at or time.time()))
        signature = base64.b64encode(self.key.sign((moment + body).encode(), ec.ECDSA(hashes.SHA256()))).decode()
        theirs = EventWebhook()
        assert theirs.verify_signature(body, signature, moment, theirs.convert_public_key_to_ecdsa(self.secret))
        return {"X-Twilio-Email-Event-Webhook-Signature": signature, "X-Twilio-Email-Event-Webhook-Timestamp": moment,
                "Content-Type": "application/json"}

    @staticmethod
    def body(id="sg1"):
        return json.dumps([{"event": "bounce", "sg_event_id": id}, {"event": "open", "sg_event_id": id + "b"}])


class Discord:
    """A Discord application, whose package checks what is signed here by the same curve."""

    provider = "discord"

    def __init__(self, url=None):
        self.key = SigningKey.generate()
        self.secret = self.key.verify_key.encode().hex()

    def sign(self, body, at=None):
        from discord_interactions import verify_key
        moment = str(int(at or time.time()))
        signature = self.key.sign((moment + body).encode()).signature.hex()
        assert verify_key(body.encode(), signature, moment, self.secret)
        return {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": moment, "Content-Type": "application/json"}

    @staticmethod
    def body(id="1"):
        return json.dumps({"id": id, "type": 2, "token": "t", "data": {"name": "ping"}})


class Standard:
    """A sender by Standard Webhooks."""

    provider, secret = "custom_webhook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    def __init__(self, url=None):
        self.webhook = Webhook(self.secret)

    def sign(self, body, at=None):
        import datetime
        moment = datetime.datetime.fromtimestamp(int(at or time.time()), datetime.timezone.utc)
        id = json.loads(body)["id"]
        return {"webhook-id": id, "webhook-timestamp": str(int(moment.timestamp())), "Content-Type": "application/json",
                "webhook-signature": self.webhook.sign(id, moment, body)}

    @staticmethod
    def body(id="msg_1"):
        return json.dumps({"id": id, "type": "order.shipped"})


class GitHub:
    """GitHub, which publishes no package: its documentation says how it signs."""

    provider, secret = "github", "It's a Secret to Everybody"

    def __init__(self, url=None):
        self.id = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

    def sign(self, body, at=None):
        data = body if isinstance(body, bytes) else body.encode()
        code = hmac.new(self.secret.encode(), data, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature-256": f"sha256={code}", "X-GitHub-Delivery": self.id, "X-GitHub-Event": "push",
                "Content-Type": "application/json"}

    @staticmethod
    def body(id="1"):
        return json.dumps({"ref": id})


SERVICES = [Slack, Stripe, Twilio, SendGrid, Discord, Standard, GitHub]
# The headers of each that are signed or sign, and whether its timestamp grows old.
AGING = {"Slack", "Stripe", "SendGrid", "Discord", "Standard"}
