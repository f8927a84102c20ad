"""What lies in the database: nothing readable, and nothing that can be moved or changed unnoticed."""

import base64

import pytest

from house import OWNER
from standins import SECRETS


def encodings(secret):
    """The forms in which a secret could be lying about."""
    raw = secret.encode() if isinstance(secret, str) else secret
    forms = {"plain": raw, "reversed": raw[::-1], "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode()}
    for shift in range(3):
        # Base64 of a longer text with the secret in it: the inner groups are the same whatever surrounds them.
        around = base64.b64encode(b"\0" * shift + raw)
        inner = around[4 if shift else 0:len(around) // 4 * 4 - 4]
        forms[f"base64 at {shift}"] = inner
        forms[f"base64url at {shift}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
        forms[f"hex of base64 at {shift}"] = inner.hex().upper().encode()
    return forms


def find(secrets, haystack):
    folded = haystack.upper()
    return [(secret[:6], form) for secret in secrets for form, text in encodings(secret).items()
            if len(text) >= 8 and (text in haystack or ("hex" in form.lower() and text.upper() in folded))]


@pytest.fixture
def filled(make_house, standins):
    """A house of its own, with one connection of every kind, each tested."""
    house = make_house()
    api = house.api()
    made = {provider: api.create(provider, setup) for provider, (setup, *_) in standins.setups().items()}
    for connection in made.values():
        assert api.post(f"/connections/{connection['id']}/test").status_code == 200
    house.sign_in()
    return house, api, made


def test_a_dump_holds_no_token_password_or_key_in_any_encoding(filled):
    house, api, _ = filled
    keyring = (house.folder / "keyring").read_bytes()
    parts = [line.strip() for line in keyring.splitlines() if len(line.strip()) >= 16]
    secrets = [*SECRETS, OWNER[1], api.key, api.key.split("_")[2]]
    dump = house.dump()
    assert b"telegram" in dump, "the dump holds the connections"
    assert find(secrets, dump) == []
    for part in parts:
        assert part not in dump


def test_neither_logs_nor_process_listings_hold_a_secret(filled):
    house, api, _ = filled
    secrets = [*SECRETS, OWNER[1], api.key]
    for path in house.folder.rglob("*.log"):
        assert find(secrets, path.read_bytes()) == [], path
    for pid in [house.supervisor.pid, *[pid for pid, _ in house.children()]]:
        for name in ("environ", "cmdline"):
            assert find(secrets, open(f"/proc/{pid}/{name}", "rb").read()) == []


def test_no_answer_shows_a_secret_again(filled):
    house, api, made = filled
    person = house.sign_in()
    for connection in made.values():
        for text in (api.get(f"/connections/{connection['id']}").content,
                     person.get(f"/connections/{connection['id']}").content,
                     person.get(f"/connections/{connection['id']}/edit").content):
            assert find(SECRETS, text) == []
    assert find(SECRETS, api.get("/connections").content) == []


def sealed_columns(house):
    """The columns of `connections` that hold sealed records, by their type: binary and not an id or a digest."""
    return [row["COLUMN_NAME"] for row in house.sql("""
        SELECT COLUMN_NAME FROM information_schema.COLUMNS
         WHERE TABLE_SCHEMA = 'hub' AND TABLE_NAME = 'connections' AND DATA_TYPE IN ('blob', 'varbinary', 'mediumblob')
        """)]


def statuses(api):
    return {row["id"]: row["status"] for row in api.get("/connections").json()["data"]}


def row_key(identifier):
    """An id as the table may hold it: as 16 bytes or as text."""
    return "HEX(id) = UPPER(REPLACE(%s, '-', '')) OR id = %s", (identifier, identifier)


def test_a_changed_byte_makes_that_record_undecryptable_and_nothing_else(filled):
    house, api, made = filled
    columns = sealed_columns(house)
    assert columns
    victim = made["sendgrid"]["id"]
    where, values = row_key(victim)
    before = statuses(api)
    for column in columns:
        [row] = house.sql(f"SELECT {column} AS sealed FROM connections WHERE {where}", *values)
        if not row["sealed"]:
            continue
        # Version, key id, nonce, ciphertext and tag: a byte of each.
        for place in {0, 1, len(row["sealed"]) // 3, len(row["sealed"]) // 2, len(row["sealed"]) - 1}:
            changed = bytearray(row["sealed"])
            changed[place] ^= 0x01
            house.sql(f"UPDATE connections SET {column} = %s WHERE {where}", bytes(changed), *values)
            now = statuses(api)
            assert now[victim] == "undecryptable", (column, place)
            assert {**now, victim: None} == {**before, victim: None}
            answer = api.post(f"/connections/{victim}/test")
            assert answer.status_code == 409 or answer.json().get("status") == "undecryptable", answer.text
        [after] = house.sql(f"SELECT {column} AS sealed FROM connections WHERE {where}", *values)
        assert after["sealed"] == bytes(changed), "what cannot be opened is not overwritten"
        house.sql(f"UPDATE connections SET {column} = %s WHERE {where}", row["sealed"], *values)
    assert statuses(api) == before


def test_swapping_the_sealed_columns_of_two_rows_makes_both_undecryptable(filled):
    house, api, made = filled
    one, other = made["sendgrid"]["id"], made["openrouter"]["id"]
    before = statuses(api)
    for column in sealed_columns(house):
        rows = {}
        for identifier in (one, other):
            where, values = row_key(identifier)
            rows[identifier] = house.sql(f"SELECT {column} AS sealed FROM connections WHERE {where}", *values)[0]["sealed"]
        if not all(rows.values()):
            continue
        for here, there in ((one, other), (other, one)):
            where, values = row_key(here)
            house.sql(f"UPDATE connections SET {column} = %s WHERE {where}", rows[there], *values)
        now = statuses(api)
        assert (now[one], now[other]) == ("undecryptable", "undecryptable"), column
        assert {k: v for k, v in now.items() if k not in (one, other)} == \
            {k: v for k, v in before.items() if k not in (one, other)}
        for here in (one, other):
            where, values = row_key(here)
            house.sql(f"UPDATE connections SET {column} = %s WHERE {where}", rows[here], *values)


def test_with_another_key_ring_everything_is_shown_as_undecryptable_and_nothing_is_overwritten(filled):
    house, api, made = filled
    before = house.sql("SELECT * FROM connections ORDER BY id")
    house.supervisor.terminate()
    house.supervisor.wait(40)
    house.write_settings(HUB_KEYRING=house.folder / "other-keyring")
    house.hub("keyring", "create")
    house.start_hub()
    house.wait_ready()
    assert set(statuses(api).values()) == {"undecryptable"}
    doctor = house.hub("doctor", check=False)
    assert doctor.returncode != 0 and "key" in (doctor.stdout + doctor.stderr).lower()
    assert house.sql("SELECT * FROM connections ORDER BY id") == before
