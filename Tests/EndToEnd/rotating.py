"""A service whose refresh tokens are good for one use, for tests of what happens between its answer and our commit."""

import http.server
import json
import random
import threading
import time
import urllib.parse

PROVIDER = {
    "key": "rotating", "name": "Rotating", "kind": "oauth2", "category": "Test",
    "tile": {"letters": "Ro", "color": "blue"}, "summary": "A service that rotates refresh tokens.", "guide": [],
    "fields": [
        {"name": "client_id", "label": "Client ID", "kind": "text", "required": True},
        {"name": "client_secret", "label": "Client secret", "kind": "secret", "required": True},
    ],
    "hosts": ["auth.example"],
    "oauth": {
        "authorize": "https://auth.example/authorize", "token": "https://auth.example/token", "scopes": ["read"],
        "rotates_refresh_token": True,
        "revoke": {
            "method": "POST", "url": "https://auth.example/revoke", "parameters": {"token": "{refresh_token}"},
            "success": {"status": [200]}, "error": "error"},
    },
    "test": {
        "kind": "http", "method": "GET", "url": "https://auth.example/me", "bearer": "{access_token}",
        "success": {"status": [200]}, "error": "error", "access": "{email}", "metadata": []},
    "verified": False,
}


class Rotating:
    """The service. `grace` takes the refresh token before the newest too; `held` is an event that answers wait for."""

    def __init__(self):
        self.lock = threading.Lock()
        self.lifetime, self.grace, self.delay = 3600, False, 0.0
        self.held = None
        self.arrived = threading.Event()
        self.refreshes, self.revoked, self.unknown = [], [], []
        self.number = 0
        self.current, self.previous = None, None
        self.access = {}
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                status, answer = service.answer(self.command, self.path, dict(urllib.parse.parse_qsl(body)), self.headers)
                data = json.dumps(answer).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # Whoever asked is dead.

            do_GET = do_POST = respond

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, method, path, form, headers):
        if path == "/me":
            return self.read(headers.get("Authorization", "").removeprefix("Bearer "))
        if path == "/revoke":
            self.revoked.append(form["token"])
            return 200, {}
        assert path == "/token", path
        if form["grant_type"] == "authorization_code":
            with self.lock:
                return 200, self.grant()
        with self.lock:
            token = form["refresh_token"]
            self.refreshes.append(token)
            if token != self.current and not (self.grace and token == self.previous):
                return 400, {"error": "invalid_grant", "error_description": "The refresh token was used already."}
            answer = self.grant()
        self.arrived.set()
        if self.held:
            self.held.wait(60)
        if self.delay:
            time.sleep(random.uniform(0, self.delay))
        return 200, answer

    def grant(self):
        self.number += 1
        self.previous, self.current = self.current, f"refresh-{self.number}"
        access = f"access-{self.number}"
        self.access[access] = time.monotonic() + self.lifetime
        return {"access_token": access, "token_type": "Bearer", "expires_in": self.lifetime, "refresh_token": self.current}

    def read(self, token):
        end = self.access.get(token)
        if end is None or end < time.monotonic():
            self.unknown.append(token)
            return 401, {"error": "invalid_token"}
        return 200, {"email": "ana@example.org"}

    def settings(self, folder):
        """The settings that lead a hub here."""
        providers = folder / "providers"
        providers.mkdir(exist_ok=True)
        (providers / "rotating.json").write_text(json.dumps(PROVIDER))
        origins = folder / "rotating-origins.json"
        origins.write_text(json.dumps({"https://auth.example": self.url}))
        return {"HUB_ORIGIN_MAP": origins, "HUB_PROVIDERS": providers}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
