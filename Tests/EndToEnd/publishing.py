"""A site that publishes events, and what it asks the hub about their deliveries."""

import concurrent.futures
import os
import subprocess
import threading
import time

import requests

from house import HUB, ROOT, clean_environment, until

# Receivers of tests stand on this machine, without TLS; what failed is tried again at once and then each second.
SETTINGS = {"HUB_WEBHOOK_ALLOW_HTTP": "yes", "HUB_ALLOW_NETWORKS": "127.0.0.0/8", "HUB_WEBHOOK_RETRY": "0,1,1,1,1",
            "HUB_MAX_WEBHOOKS_PER_USER": 1000}


def subscribe(api, url, *events, **terms):
    """Makes a webhook; the answer holds its secret."""
    answer = api.post("/webhooks", {"url": url, "events": list(events or ("custom.*",)), **terms})
    assert answer.status_code == 201, answer.text
    return answer.json()


def publish(api, type="custom.thing", data=None, headers=None, **more):
    """Publishes one event."""
    answer = api.post("/events", {"type": type, "data": data or {"n": 1}, **more}, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


def publish_many(api, count, type="custom.thing"):
    """Publishes events in batches and returns their ids."""
    ids = []
    while len(ids) < count:
        some = [{"type": type, "data": {"n": len(ids) + n}} for n in range(min(1_000, count - len(ids)))]
        answer = api.post("/events/batch", {"events": some})
        assert answer.status_code == 202, answer.text
        ids += [event["id"] for event in answer.json()["data"]]
    return ids


def deliveries(api, webhook):
    """All deliveries of a webhook, the newest first."""
    found, path = [], f"/webhooks/{webhook['id']}/deliveries?limit=200"
    cursor = ""
    while cursor is not None:
        answer = api.get(path + cursor)
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        cursor = answer.json()["next_cursor"] and f"&cursor={answer.json()['next_cursor']}"
    return found


def attempts(api, webhook, count=1, seconds=60):
    """Waits for so many attempts at the one delivery of a webhook, and returns them, the first first."""
    def made():
        rows = deliveries(api, webhook)
        return rows if len(rows) == 1 and rows[0]["attempts"] >= count else None

    [row] = until(made, seconds, f"attempt {count}", lambda: str(deliveries(api, webhook)))
    answer = api.get(f"/deliveries/{row['id']}")
    assert answer.status_code == 200, answer.text
    return sorted(answer.json()["attempts_log"], key=lambda attempt: attempt["number"])


def background(house):
    """The process ids of `hub work`."""
    return [pid for pid, command in house.children() if command[1:2] == ["work"]]


class Alone:
    """A `hub work` of its own, without a supervisor, as another service manager would run it."""

    def __init__(self, house, name="alone", **environment):
        folder = house.folder / name
        folder.mkdir(exist_ok=True)
        path = folder / "hub.conf"
        path.touch(mode=0o600)
        settings = {**house.settings, "HUB_STATE": folder}
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items() if value is not None))
        self.log = folder / "hub.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [HUB, "work"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT,
                env=clean_environment(HUB_CONFIG=str(path), **environment), start_new_session=True)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(60) == 0, self.log.read_text()[-3000:]


class Publishers:
    """Clients that publish as long as they are told to, singles and batches, and note each event that was acknowledged.

    What was not acknowledged is published again under the same id, so each of the events is one in the end."""

    def __init__(self, house, key, count, clients=4, batch=25, pause=0):
        self.url, self.key, self.count, self.batch, self.pause = house.url("/api/v1/events"), key, count, batch, pause
        self.acknowledged, self.refusals, self.next = {}, {}, 0
        self.lock = threading.Lock()
        self.pool = concurrent.futures.ThreadPoolExecutor(clients)
        self.turns = [self.pool.submit(self.client, number) for number in range(clients)]

    @property
    def is_over(self):
        return all(turn.done() for turn in self.turns)

    def client(self, number):
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.key}"
        # Every third turn some events go by themselves.
        for turn in range(1 << 40):
            with self.lock:
                size = min(self.batch if turn % 3 else self.batch // 10 or 1, self.count - self.next)
                first, self.next = self.next, self.next + size
            if size <= 0:
                return
            events = [{"type": "custom.counted", "id": f"e-{n}", "data": {"n": n}} for n in range(first, first + size)]
            if turn % 3:
                self.send(session, "/batch", {"events": events})
            else:
                for event in events:
                    self.send(session, "", event)
            time.sleep(self.pause)

    def send(self, session, path, body):
        deadline = time.monotonic() + 120
        while True:
            outcome = "cut off"
            try:
                answer = session.post(self.url + path, json=body, timeout=60)
                outcome = answer.status_code
            except requests.RequestException:
                pass
            if outcome == 202:
                taken = answer.json().get("data") or [answer.json()]
                with self.lock:
                    self.acknowledged.update({event["event_id"]: event["id"] for event in taken})
                return
            with self.lock:
                self.refusals[outcome] = self.refusals.get(outcome, 0) + 1
            assert outcome in (502, 503, 504, "cut off"), answer.text
            assert time.monotonic() < deadline, f"an event was refused for two minutes: {outcome}"
            time.sleep(0.05)

    def wait(self):
        for turn in self.turns:
            turn.result()
        self.pool.shutdown()


def hosts_of(port, pids):
    """Which of these processes hold a connection to a port of this machine."""
    inodes = set()
    with open("/proc/net/tcp") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[2].endswith(f":{port:04X}") and fields[3] == "01":
                inodes.add(f"socket:[{fields[9]}]")
    found = set()
    for pid in pids:
        try:
            links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if inodes & set(links):
            found.add(pid)
    return found
