"""Very many API keys, made in the database alone."""

import hashlib
import secrets
import time
import uuid
import zlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
IN_USE = 1_000


def make():
    """A key as the hub makes it."""
    body = "sk_" + "".join(secrets.choice(BASE62) for _ in range(8)) + "_" \
        + "".join(secrets.choice(BASE62) for _ in range(32))
    rest, tail = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        tail = BASE62[digit] + tail
    return body + tail


def raise_limits(house):
    """No key is held up by its limits; told as another host would tell it."""
    house.sql("UPDATE api_keys SET requests_per_minute = 1000000000, requests_per_hour = 1000000000,"
              " requests_per_day = 1000000000")
    house.sql("UPDATE generations SET value = value + 1 WHERE name = 'api_keys'")
    time.sleep(2)


def fill(house, count):
    """Has so many keys stand in the table, and returns the thousand that are used."""
    [row] = house.sql("SELECT id FROM organizations ORDER BY id LIMIT 1")
    used = [make() for _ in range(IN_USE)]
    digests = [hashlib.sha256(key.encode()).digest() for key in used]
    held = house.sql("SELECT COUNT(*) AS n FROM api_keys")[0]["n"]
    insert = ("INSERT INTO api_keys (id, organization_id, name, prefix, last_four, key_hash, scopes, created_at, updated_at,"
              " requests_per_minute, requests_per_hour, requests_per_day) ")
    tail = "'items:read', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 1000000000, 1000000000, 1000000000"
    for digest in digests:
        house.sql(f"{insert} VALUES (%s, %s, 'used', 'sk_00000000', '0000', %s, {tail})", uuid.uuid4().bytes, row["id"], digest)
    # The rest is made by the server: random digests, as real ones are.
    missing = count - IN_USE - held
    while missing > 0:
        some = min(missing, 50_000)
        house.sql(f"{insert} SELECT UNHEX(REPLACE(UUID(), '-', '')), %s, 'bench', 'sk_00000000', '0000',"
                  f" RANDOM_BYTES(32), {tail} FROM seq_1_to_{some}", row["id"])
        missing -= some
    house.sql("UPDATE generations SET value = value + 1 WHERE name = 'api_keys'")
    time.sleep(2)
    return used


def script(folder, used):
    """A script for wrk by which each thread goes round the keys."""
    path = folder / "keys.lua"
    listed = ",".join(f'"Bearer {key}"' for key in used)
    path.write_text(f"""
        local keys = {{{listed}}}
        local next = math.random(#keys)
        function request()
            next = next % #keys + 1
            return wrk.format("GET", nil, {{["Authorization"] = keys[next]}})
        end
    """)
    return path
