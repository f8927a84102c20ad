"""Load from a handful of clients with kept connections, every request accounted for."""

import dataclasses
import http.client
import json
import threading
import time
import urllib.parse


@dataclasses.dataclass
class Outcome:
    """One request: when it began and ended, and how. `status` is 0 when no answer came at all."""

    method: str
    began: float
    ended: float
    status: int
    name: str
    error: str = ""

    @property
    def good(self):
        return 200 <= self.status < 300


class Load:
    """Sends requests until told to stop. `make(client, number)` gives (method, path, headers, body, name)."""

    def __init__(self, house, make, clients=8):
        self.address = urllib.parse.urlsplit(house.origin)
        self.mount, self.make = house.mount, make
        self.outcomes, self.lock = [], threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(n,), daemon=True) for n in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive(), "a request never ended"

    def client(self, client):
        connection, mine, number = None, [], 0
        while not self.stopping.is_set():
            method, path, headers, body, name = self.make(client, number)
            number += 1
            began, status, error = time.monotonic(), 0, ""
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
                connection.request(method, self.mount + path, body, headers)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
                if answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as problem:
                error, connection = repr(problem), None
            mine.append(Outcome(method, began, time.monotonic(), status, name, error))
            if len(mine) >= 64:
                self.keep(mine)
                mine = []
        self.keep(mine)

    def keep(self, some):
        with self.lock:
            self.outcomes.extend(some)

    @property
    def failed(self):
        return [outcome for outcome in self.outcomes if not outcome.good]

    def summary(self):
        count = {}
        for outcome in self.outcomes:
            key = f"{outcome.method} {outcome.status or outcome.error}"
            count[key] = count.get(key, 0) + 1
        return count


def get(path, key=None):
    """Nothing but one GET."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return lambda client, number: ("GET", path, headers, None, "")


def mixed(key):
    """Lists, and every fourth time creates a connection with a name of its own."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def make(client, number):
        if number % 4:
            return "GET", "/api/v1/connections?limit=5", headers, None, ""
        name = f"load-{client}-{number}"
        body = {"provider": "telegram", "name": name, "setup": {"bot_token": "123456789:" + "a" * 35}}
        return "POST", "/api/v1/connections", headers, json.dumps(body), name

    return make
