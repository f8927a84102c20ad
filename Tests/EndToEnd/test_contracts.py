"""Older contracts as their own clients speak them, and rows of their databases taken over."""

import csv
import io
import json
import signal
import subprocess
import time

import requests
from cryptography.fernet import Fernet, MultiFernet

from house import HUB, ROOT, clean_environment
from standins import SENDGRID_KEY, TELEGRAM_TOKEN, TWILIO_SID, TWILIO_TOKEN


def test_the_integrations_api_with_curl(house, clean):
    def curl(method, path, body=None):
        more = ["-H", "Content-Type: application/json", "-d", json.dumps(body)] if body is not None else []
        done = subprocess.run(
            ["curl", "-sS", "--noproxy", "*", "-X", method, "-w", "\n%{http_code}",
             "-H", f"Authorization: Bearer {clean.key}", *more, house.url("/api/integrations" + path)],
            capture_output=True, text=True, check=True)
        text, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(text)

    assert curl("GET", "/") == (200, [])
    body = {"token": TELEGRAM_TOKEN, "extra": {"chat_id": "42", "team": {"name": "Support"}}}
    status, made = curl("POST", "/telegram/connect/", body)
    integration = made.pop("integration")
    assert (status, made) == (201, {"status": "ok", "ok": True, "message": "Connected"})
    assert set(integration) == {"provider", "is_active", "extra", "created_at", "updated_at"}
    assert (integration["provider"], integration["is_active"], integration["extra"]) == (
        "telegram", True, body["extra"])
    assert curl("GET", "") == (200, [integration])
    assert clean.post("/connections/telegram/test").json()["ok"] is True, "the same connection everywhere"
    assert curl("DELETE", "/telegram/") == (200, {"status": "ok", "ok": True, "message": "Disconnected"})
    (after,) = curl("GET", "/")[1]
    assert (after["is_active"], after["extra"], after["created_at"]) == (False, body["extra"], integration["created_at"])
    assert after["updated_at"] > integration["updated_at"]
    again = curl("POST", "/telegram/connect", body)[1]["integration"]
    assert (again["is_active"], again["created_at"]) == (True, integration["created_at"])
    assert TELEGRAM_TOKEN not in house.log_text()
    assert curl("GET", "/telegram/")[0] == 405


def test_health_tells_of_pending_migrations(house):
    answer = requests.get(house.url("/health/"), timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "pending_migrations": 0})


def run_import(house, monkeypatch, path, *options, keys=()):
    if keys:
        monkeypatch.setenv("FERNET_KEY", ",".join(key.decode() for key in keys))
    done = house.hub("legacy", "import", "--format", "django", *options, path, check=False)
    assert TELEGRAM_TOKEN not in done.stdout + done.stderr and SENDGRID_KEY not in done.stdout + done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()], done


def test_rows_that_pythons_fernet_sealed_are_taken_over_once(make_house, monkeypatch, tmp_path):
    house = make_house()
    old, new = Fernet.generate_key(), Fernet.generate_key()
    sealing = MultiFernet([Fernet(new), Fernet(old)])
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["id", "organization_id", "provider", "token_encrypted", "extra", "is_active", "created_at"])
    rows.writerow([1, 7, "telegram", Fernet(old).encrypt(TELEGRAM_TOKEN.encode()).decode(),
                   json.dumps({"chat_id": "42", "note": 'a "quoted",\nline'}), "t", "2025-03-01 10:00:00+00"])
    rows.writerow([2, 7, "sendgrid", sealing.encrypt(SENDGRID_KEY.encode()).decode(),
                   json.dumps({"from_email": "mailer@example.org"}), "t", "2025-03-01 10:00:00+00"])
    rows.writerow([3, 7, "whatsapp", Fernet(Fernet.generate_key()).encrypt(TWILIO_TOKEN.encode()).decode(),
                   json.dumps({"account_sid": TWILIO_SID, "from_whatsapp": "+14155238886"}), "f", ""])
    path = tmp_path / "integrations.csv"
    path.write_text(table.getvalue())

    told, done = run_import(house, monkeypatch, path, "--dry-run", keys=(new, old))
    assert [line[0] for line in told] == ["imported", "imported", "failed"] and done.returncode == 1
    api = house.api()
    assert api.get("/connections").json()["data"] == []
    told, _ = run_import(house, monkeypatch, path)
    assert [line[:2] for line in told] == [
        ["imported", "telegram:default"], ["imported", "sendgrid:default"], ["failed", "whatsapp"]]
    for name in ("telegram", "sendgrid"):
        assert api.post(f"/connections/{name}/test").json()["ok"] is True
    before = house.sql("SELECT id, secrets_sealed, version, updated_at FROM connections ORDER BY id")
    told, done = run_import(house, monkeypatch, path)
    assert [line[0] for line in told] == ["unchanged", "unchanged", "failed"]
    assert done.stderr.rstrip().endswith("0 imported, 0 updated, 2 unchanged, 0 skipped, 1 failed.")
    assert house.sql("SELECT id, secrets_sealed, version, updated_at FROM connections ORDER BY id") == before


def test_an_import_that_is_killed_midway_loses_nothing(make_house, tmp_path):
    house = make_house()
    rows = [{"key": f"integration:telegram:bot-{number}", "value_json": {"bot_token": TELEGRAM_TOKEN}}
            for number in range(400)]
    path = tmp_path / "settings.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [HUB, "legacy", "import", "--format", "phoenixkit", path]
    environment = clean_environment(HUB_CONFIG=str(house.folder / "hub.conf"))
    running = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while count(house) < 20:
        assert time.monotonic() < deadline and running.poll() is None, "it had no time to be killed"
    running.send_signal(signal.SIGKILL)
    running.communicate()
    kept = count(house)
    assert 20 <= kept < 400
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    kinds = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert kinds == ["unchanged"] * kept + ["imported"] * (400 - kept)
    assert count(house) == 400
    (counted,) = house.sql(
        "SELECT (SELECT COUNT(*) FROM connections) AS connections, (SELECT COUNT(*) FROM legacy_imports) AS imports,"
        " (SELECT COUNT(*) FROM audit_events WHERE action = 'connection.imported') AS noted")
    assert set(counted.values()) == {400}


def count(house):
    return house.sql("SELECT COUNT(*) AS n FROM connections")[0]["n"]
