"""Thirty days of requests for the pages that show them, logged and counted as the hub itself does it."""

import contextlib
import datetime
import math
import os
import random

import pymysql

EVERYBODY = bytes(16)
UNITS = {"usage_minutes": 60, "usage_hours": 3600, "usage_days": 86400}
ROUTES = (
    ("GET", "/api/v1/connections", "/api/v1/connections", 9),
    ("POST", "/api/v1/connections/{id}/messages", "/api/v1/connections/0197c2f4-9d1e-7b52-8a3f-5b0c7e2d1a90/messages", 6),
    ("POST", "/api/v1/connections/{id}/test", "/api/v1/connections/0197c2f4-9d1e-7b52-8a3f-5b0c7e2d1a90/test", 2),
    ("GET", "/orders/{id}", "/orders/88123", 4),
    ("GET", "/api/v1/audit-log", "/api/v1/audit-log", 1),
)
FAILURES = ((401, "key_expired"), (403, "insufficient_scope"), (404, "not_found"), (422, "validation_failed"),
            (429, "rate_limited"), (502, "provider_failed"))


def bucket(microseconds):
    """Where a time stands in a histogram: eight buckets for each doubling from 64 microseconds on."""
    if microseconds < 64:
        return 0
    octave = microseconds.bit_length() - 1
    return min(159, (octave - 6) * 8 + int(math.log2(microseconds / 2 ** octave) * 8 + 1e-9))


def histogram(times):
    """As it is stored: pairs of a bucket and its count, seven bits a byte, the lowest first."""
    counts = {}
    for time in times:
        counts[bucket(time)] = counts.get(bucket(time), 0) + 1
    written = bytearray()
    for number in (number for pair in sorted(counts.items()) for number in pair):
        while number >= 0x80:
            written.append(number & 0x7F | 0x80)
            number >>= 7
        written.append(number)
    return bytes(written)


def requests(keys, now, chance):
    """Requests by day and night, the older ones first, with an hour in which much fails."""
    for hour in range(30 * 24, 0, -1):
        begin = now - datetime.timedelta(hours=hour)
        wave = 1 + math.sin((begin.hour - 8) / 24 * 2 * math.pi)
        for _ in range(int(1 + 4 * wave + chance.random() * 2)):
            method, route, path, _ = chance.choices(ROUTES, [weight for *_, weight in ROUTES])[0]
            fails = chance.random() < (0.4 if hour in (9, 190) else 0.02)
            status, code = chance.choice(FAILURES) if fails else (200 if method == "GET" else 202, "")
            at = begin + datetime.timedelta(seconds=chance.random() * 3600)
            if at < now:
                yield (at, chance.choice(keys), method, route, path, status, code,
                       int(chance.lognormvariate(8.6, 0.7) * (3 if method == "POST" else 1)))


def rows(organization, all_requests, seconds):
    """The rows of one roll-up."""
    cells = {}
    for at, key, method, route, _, status, _, took in all_requests:
        begin = datetime.datetime.fromtimestamp(at.timestamp() // seconds * seconds, datetime.UTC)
        endpoint = f"{method} {route}"
        for subject, breakdown, label in ((EVERYBODY, 0, ""), (EVERYBODY, 1, f"api_key {key.hex()}"),
                                          (EVERYBODY, 2, endpoint), (key, 0, ""), (key, 2, endpoint)):
            cells.setdefault((subject, breakdown, begin, label, status // 100), []).append(took)
    for (subject, breakdown, begin, label, hundred), times in cells.items():
        yield (organization, subject, breakdown, begin.strftime("%Y-%m-%d %H:%M:%S"), label, hundred, len(times),
               sum(times), 321 * len(times), b"" if breakdown else histogram(times))


def furnish(house):
    """Logs and counts the requests of all keys of a house; answers the id of one that was refused."""
    chance = random.Random(7)
    now = datetime.datetime.now(datetime.UTC)
    organization = house.sql("SELECT id FROM organizations LIMIT 1")[0]["id"]
    keys = [row["id"] for row in house.sql("SELECT id FROM api_keys ORDER BY id LIMIT 3")]
    found = sorted(requests(keys, now, chance), key=lambda request: request[0])
    lines, refused = [], None
    for at, key, method, route, path, status, code, took in found:
        id = int(at.timestamp() * 1000).to_bytes(6) + b"\x70\x00\x80" + os.urandom(7)
        refused = id if status == 422 else refused
        lines.append((id, at.strftime("%Y-%m-%d %H:%M:%S.%f"), organization,
                      "gate" if path.startswith("/orders") else "api", "api_key", key, method, route, path, status, took,
                      321, "203.0.113.7", "python-requests/2.32.3", os.urandom(16).hex(), code))
    connection = pymysql.connect(
        unix_socket=str(house.database.socket), user=house.database.administrator(), database="hub", charset="utf8mb4")
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO request_logs (id, at, organization_id, surface, actor_kind, actor_id, method, route, path, status,"
            " microseconds, bytes, address, user_agent, request_id, code)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", lines)
        for table, seconds in UNITS.items():
            cursor.executemany(
                f"INSERT INTO {table} (organization_id, subject, breakdown, at, label, hundred, requests, microseconds,"
                " bytes, latency) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
                " ON DUPLICATE KEY UPDATE requests = requests + VALUES(requests),"
                " microseconds = microseconds + VALUES(microseconds), bytes = bytes + VALUES(bytes),"
                " latency = CONCAT(latency, VALUES(latency))", list(rows(organization, found, seconds)))
        connection.commit()
    text = refused.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
