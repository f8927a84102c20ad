"""Another master key while the house is busy: nothing fails, nothing is lost, and the former key can go."""

import base64
import os
import signal
import struct
import subprocess
import threading
import uuid

import pymysql
import pytest
import requests
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from house import HUB, ROOT, clean_environment, until
from load import Load, mixed

pytestmark = pytest.mark.alone


def ring(house):
    """The keys of the ring by their state, as the file tells it."""
    lines = [line.split() for line in (house.folder / "keyring").read_text().splitlines() if not line.startswith("#")]
    return {state: (name, base64.b64decode(key)) for name, state, key in lines}


def wrapped(name, key, organization):
    """A new data key of an organization, wrapped by a master key as the hub does it."""
    wrapping = HKDF(SHA256(), 32, None, b"hub: data key wrapping").derive(key)
    master, nonce = bytes.fromhex(name), os.urandom(12)
    parts = [b"hub", b"wrapped data key", b"\1", master, struct.pack(">I", 1), organization]
    place = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return b"\1" + master + nonce + AESGCM(wrapping).encrypt(nonce, os.urandom(32), place)


def crowd(house, count, state="primary"):
    """Organizations with a data key each, wrapped by the key of the ring that is in this state."""
    name, key = ring(house)[state]
    ids = [uuid.uuid4().bytes for _ in range(count)]
    connection = pymysql.connect(
        unix_socket=str(house.database.socket), user=house.database.administrator(), database="hub")
    with connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO organizations (id, name, created_at, updated_at)"
            " VALUES (%s, %s, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))", [(id, f"Shop {id.hex()[:8]}") for id in ids])
        cursor.executemany(
            "INSERT INTO data_keys (organization_id, number, wrapped, created_at) VALUES (%s, 1, %s, UTC_TIMESTAMP(6))",
            [(id, wrapped(name, key, id)) for id in ids])
        connection.commit()


def named(house):
    """How many data keys each master key wraps."""
    rows = house.sql("SELECT LOWER(HEX(SUBSTRING(wrapped, 2, 4))) AS name, COUNT(*) AS n FROM data_keys GROUP BY name")
    return {row["name"]: row["n"] for row in rows}


def reload(house):
    """Has the whole crew load the ring, and waits until none is left that has not."""
    before = {row["id"] for row in house.sql("SELECT id FROM keyring_processes")}
    house.supervisor.send_signal(signal.SIGHUP)

    def settled():
        now = {row["id"] for row in house.sql("SELECT id FROM keyring_processes")}
        return not before & now and len(now) == len(house.children())

    until(settled, 60, "a crew that has loaded the ring")


def refused(house, *words):
    before = (house.folder / "keyring").read_bytes()
    done = house.hub("keyring", *words, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert (house.folder / "keyring").read_bytes() == before
    return done.stderr


class Reader:
    """Reads all connections again and again, opening what each has sealed; keeps what could not be opened."""

    def __init__(self, house, key):
        self.house, self.headers = house, {"Authorization": f"Bearer {key}"}
        self.rounds, self.faults = 0, []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def read(self):
        """Every connection's status, page by page."""
        found, cursor = {}, ""
        while True:
            answer = requests.get(
                self.house.url(f"/api/v1/connections?limit=100{cursor}"), headers=self.headers, timeout=30)
            assert answer.status_code == 200, answer.text
            part = answer.json()
            found |= {one["name"]: one["status"] for one in part["data"]}
            if not part["next_cursor"]:
                return found
            cursor = "&cursor=" + part["next_cursor"]

    def run(self):
        while not self.stopping.is_set():
            try:
                self.faults += [one for one in self.read().items() if one[1] == "undecryptable"]
            except Exception as fault:  # Whatever it is, the test tells it.
                self.faults.append(fault)
            self.rounds += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(90)


def killed_rotation(house):
    """The second step, killed once it has said how far it is."""
    step = subprocess.Popen(
        [HUB, "keyring", "rotate"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env=clean_environment(HUB_CONFIG=str(house.folder / "hub.conf")))
    said = step.stderr.readline()
    step.kill()
    step.wait()
    step.stderr.close()
    return said


def test_a_master_key_is_rotated_under_load(make_house):
    house = make_house(workers=2)
    key = house.create_key()
    crowd(house, 1_000)
    former, _ = ring(house)["primary"]
    with Load(house, mixed(key), clients=3) as load, Reader(house, key) as reader:
        until(lambda: len(load.outcomes) > 200 and reader.rounds > 1)
        first = requests.get(house.url("/api/v1/connections?limit=1"), headers=reader.headers, timeout=30).json()
        assert "hub keyring rotate" in house.hub("keyring", "rotate")
        new, _ = ring(house)["next"]
        assert new in house.hub("keyring", "status")
        assert "not loaded yet by process" in refused(house, "rotate")
        reload(house)

        total = sum(named(house).values())
        assert f"wrapped 50 of {total} data keys anew" in killed_rotation(house)
        assert ring(house)["primary"][0] == new
        assert 50 <= named(house)[new] < total, "it was killed in the middle"
        assert "not yet the primary one of" in refused(house, "retire")
        assert "hub keyring retire" in house.hub("keyring", "rotate")
        assert set(named(house)) == {new}
        reload(house)

        # As by a process that had not loaded the ring.
        crowd(house, 1, "active")
        assert f"1 data key is still wrapped by key {former}" in refused(house, "retire")
        assert f"{former}\tactive\t1 data key" in house.hub("keyring", "status")
        assert "Wrapped 1 data key" in house.hub("keyring", "rotate")
        assert former in house.hub("keyring", "retire")
        assert set(ring(house)) == {"primary"} and former not in (house.folder / "keyring").read_text()
        reload(house)
        rounds, count = reader.rounds, len(load.outcomes)
        until(lambda: reader.rounds > rounds + 1 and len(load.outcomes) > count + 200)
    print(load.summary(), reader.rounds, "rounds")
    assert load.failed == [] and reader.faults == [], (load.summary(), reader.faults[:5])

    house.supervisor.terminate()
    house.supervisor.wait(40)
    assert house.sql("SELECT * FROM keyring_processes") == [], "who leaves says so"
    house.start_hub()
    house.wait_ready()
    found = reader.read()
    created = {outcome.name for outcome in load.outcomes if outcome.name}
    assert created <= set(found) and "undecryptable" not in found.values()
    after = requests.get(
        house.url(f"/api/v1/connections?limit=1&cursor={first['next_cursor']}"), headers=reader.headers, timeout=30)
    assert after.status_code == 200, "a cursor from before the rotation leads on"
    assert house.hub("keyring", "status").splitlines()[0] == f"{new}\tprimary\t{total + 1} data keys"
    actions = house.sql("SELECT action, COUNT(*) AS n FROM audit_events WHERE action LIKE 'keyring.%%' GROUP BY action")
    assert {row["action"] for row in actions} == {
        "keyring.key_added", "keyring.key_promoted", "keyring.data_key_rewrapped", "keyring.key_retired"}
    assert base64.b64encode(ring(house)["primary"][1]).decode() not in house.log_text()
