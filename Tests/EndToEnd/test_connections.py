"""Connecting services: in a real browser, and every kind through JSON, against stand-ins that check the credentials."""

import json

import pytest

from house import OWNER, House
from standins import TELEGRAM_TOKEN

KINDS = ["telegram", "sendgrid", "openrouter", "whatsapp", "aws", "smtp"]


def sign_in(browser, house):
    browser.open(house.url("/sign-in")).fill(email=OWNER[0], password=OWNER[1]).press("sign in")
    browser.wait(lambda: not browser.path.endswith("/sign-in"))
    return browser


def test_a_person_connects_telegram_and_sees_it_turn_green(house, clean, either_browser):
    browser = sign_in(either_browser, house)
    browser.open(house.url("/connections")).press("connect your first service", "connect a service")
    browser.wait_text("Telegram")
    browser.press("telegram")
    browser.wait(lambda: browser.driver.find_elements("name", "setup.bot_token"))
    browser.fill(**{"setup.bot_token": TELEGRAM_TOKEN}).press("connect telegram")
    browser.wait_text("The test passed.")
    browser.press("test connection")
    browser.wait_text("Connected")
    assert TELEGRAM_TOKEN not in browser.driver.page_source
    [row] = clean.get("/connections?provider=telegram").json()["data"]
    assert row["status"] == "connected"


def test_a_wrong_token_is_refused_beside_its_field_and_by_the_provider(house, clean, browser):
    sign_in(browser, house)
    person = house.sign_in()
    page = person.get("/connections/new/telegram")
    assert page.status_code == 200
    refused = person.submit("/connections/new/telegram", **{"setup.bot_token": "not a token"})
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text and "not a token" not in refused.text
    assert clean.get("/connections").json()["data"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_credentials_test_green(clean, standins, kind):
    setup, *_ = standins.setups()[kind]
    made = clean.create(kind, setup)
    answer = clean.post(f"/connections/{made['id']}/test")
    assert answer.status_code == 200, answer.text
    one = clean.get(f"/connections/{made['id']}").json()
    assert one["status"] == "connected", json.dumps(one)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_credentials_test_red_with_a_sentence_and_without_the_secret(clean, standins, kind):
    setup, secret, wrong = standins.setups()[kind]
    made = clean.create(kind, {**setup, secret: wrong})
    answer = clean.post(f"/connections/{made['id']}/test")
    assert answer.status_code == 200, answer.text
    one = clean.get(f"/connections/{made['id']}").json()
    assert one["status"] in ("error", "needs_reauth"), json.dumps(one)
    assert wrong not in answer.text + json.dumps(one)
    setup_again = clean.patch(f"/connections/{made['id']}", {"setup": {secret: setup[secret]}})
    assert setup_again.status_code == 200
    clean.post(f"/connections/{made['id']}/test")
    assert clean.get(f"/connections/{made['id']}").json()["status"] == "connected"


def test_a_provider_that_is_away_is_an_error_that_says_so(make_house, standins):
    house = make_house(start=False)
    origins = standins.origin_map() | {"https://api.telegram.org": "http://127.0.0.1:1"}
    (house.folder / "origins.json").write_text(json.dumps(origins))
    api = house.start().api()
    made = api.create("telegram", {"bot_token": TELEGRAM_TOKEN})
    answer = api.post(f"/connections/{made['id']}/test")
    assert answer.status_code == 200, answer.text
    assert api.get(f"/connections/{made['id']}").json()["status"] == "error"
    assert TELEGRAM_TOKEN not in answer.text, "the token is part of the address that could not be reached"


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "::1", "::ffff:127.0.0.1", "fe80::1", "fc00::1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "2130706433",
])
def test_addresses_inside_are_not_called(closed_house, standins, host):
    api = closed_house.api()
    setup = {**standins.setups()["smtp"][0], "host": host}
    answer = api.post("/connections", {"provider": "smtp", "name": "inside", "setup": setup})
    before = len(standins.mail.attempts)
    if answer.status_code == 201:
        api.post(f"/connections/{answer.json()['id']}/test")
        assert api.get(f"/connections/{answer.json()['id']}").json()["status"] == "error"
        api.delete(f"/connections/{answer.json()['id']}")
    else:
        assert answer.status_code == 422, answer.text
    assert len(standins.mail.attempts) == before


@pytest.fixture(scope="module")
def closed_house(database_template, tmp_path_factory):
    made = House(tmp_path_factory.mktemp("closed"))
    try:
        yield made.start()
    finally:
        made.stop()
