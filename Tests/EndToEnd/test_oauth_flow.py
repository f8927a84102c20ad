"""Signing in at services: in a real browser for some of them, and how attacks and accidents end.

The authorization server is Authlib's (authserver.py); the browser reaches it under the services' own names. Each service
of the catalogue is taken through all steps in test_oauth_catalogue.py.
"""

import re
import signal

import pytest
import requests

from browser import Browser
from house import OWNER
from stage import SECRET, Stage, catalogue, changed, come_back, decide, leave, parts, remove_all, typed


@pytest.fixture(scope="module")
def stage(database_template, tmp_path_factory):
    made = Stage(tmp_path_factory.mktemp("stage"))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def fresh(stage):
    stage.reset()
    remove_all(stage.house.api())


@pytest.fixture(scope="module")
def window(stage):
    made = Browser(arguments=stage.server.browser_arguments())
    made.open(stage.house.url("/sign-in")).fill(email=OWNER[0], password=OWNER[1]).press("sign in")
    made.wait(lambda: not made.path.endswith("/sign-in"))
    yield made
    made.close()


# --- in the browser


def press_connect(window):
    window.driver.find_element("css selector", "form[action$='/authorize'] button").click()


@pytest.mark.parametrize("key", ["google", "shopify", "notion", "slack"])
def test_a_person_saves_a_client_signs_in_and_sees_whose_access_it_is(stage, window, key):
    setup = typed(catalogue()[key])
    window.open(stage.house.url(f"/connections/new/{key}"))
    window.fill(**{f"setup.{name}": value for name, value in setup.items()}).press("save and connect")
    window.wait(lambda: window.driver.find_elements("css selector", "button[value=allow]"))
    assert window.driver.current_url.startswith(stage.played[key].origins[0] + "/")
    window.press("allow")
    window.wait_text("connected.")
    # The address bar has neither code nor state, and going back does not bring them.
    assert re.fullmatch(re.escape(stage.house.url("/connections/")) + "[0-9a-f-]{36}", window.driver.current_url)
    source = window.driver.page_source
    played = stage.played[key]
    assert "Signed in" in source and "Reconnect" in source
    for secret in [setup["client_secret"], *(t.access_token for t in played.tokens)]:
        assert secret not in source
    [row] = stage.house.api().get(f"/connections?provider={key}").json()["data"]
    assert stage.works(row["id"]), row
    assert not window.console()


def test_a_person_denies_and_is_told_what_to_do_next(stage, window):
    connection = stage.connection("google")
    window.open(stage.house.url(f"/connections/{connection}"))
    press_connect(window)
    window.wait(lambda: window.driver.find_elements("css selector", "button[value=deny]"))
    window.press("deny")
    window.wait_text("Access denied at Google.")
    window.wait_text("Connect again and allow it")
    assert stage.state(connection)["status"] == "disconnected"


def test_a_person_reconnects_in_place_with_other_permissions(stage, window):
    google = stage.played["google"]
    connection = stage.connection("google")
    window.open(stage.house.url(f"/connections/{connection}"))
    press_connect(window)
    window.wait(lambda: window.driver.find_elements("css selector", "button[value=allow]"))
    window.press("allow")
    window.wait_text("connected.")
    drive = "https://www.googleapis.com/auth/drive.file"
    google.grants = lambda asked: [scope for scope in asked if scope != drive]
    window.press("ask for other permissions")
    window.fill(scopes=f"openid email {drive}").press("reconnect with these")
    window.wait(lambda: window.driver.find_elements("id", "asked"))
    assert window.driver.find_element("id", "asked").text == f"openid email {drive}"
    window.press("allow")
    window.wait_text("Insufficient scope")
    window.wait_text("Not granted")
    state = stage.state(connection)
    assert state["scopes"]["missing"] == [drive] and state["status"] == "error"


def test_a_link_that_another_person_made_connects_nothing_in_this_browser(stage, window):
    """Cross-user session fixation: the state is valid, the session is another one."""
    connection = stage.connection("google")
    stage.house.create_user("mallory@example.com", "mallory-has-a-password", org="Example", role="admin")
    mallory = stage.house.sign_in("mallory@example.com", "mallory-has-a-password")
    url = leave(mallory, connection)
    window.open(url)
    window.wait(lambda: window.driver.find_elements("css selector", "button[value=allow]"))
    window.press("allow")
    window.wait_text("begun in another session")
    assert stage.state(connection)["status"] == "disconnected"
    assert stage.played["google"].calls["token"] == calls(stage, "google")


# --- over requests


def calls(stage, key):
    return stage.played[key].calls["token"]


KEYS = ["google", "shopify", "notion", "slack"]


def test_an_answer_from_another_service_or_another_issuer_is_refused(stage):
    """Mix-up, COAT and CORF: a code goes to no service but the one that the sign-in was begun at."""
    person = stage.house.sign_in()
    google, slack = stage.connection("google"), stage.connection("slack")
    good = decide(stage, leave(person, google))
    before = {key: calls(stage, key) for key in KEYS}
    # The honest code arrives at the address of another service, with the state of a sign-in there.
    state = parts(leave(person, slack))["state"]
    wrong = changed(good.replace("/callback/google", "/callback/slack"), iss=None)
    assert "address of another service" in come_back(person, wrong)
    assert "address of another service" in come_back(person, changed(good, state=state))
    good = decide(stage, leave(person, google))
    assert "does not come from Google" in come_back(person, changed(good, iss="https://evil.example"))
    assert {key: calls(stage, key) for key in KEYS} == before
    assert stage.state(google)["status"] == stage.state(slack)["status"] == "disconnected"


def test_shopify_is_believed_only_with_its_signature_and_for_this_shop(stage):
    person, connection = stage.house.sign_in(), stage.connection("shopify")
    before = calls(stage, "shopify")
    for changes in ({"hmac": None}, {"hmac": "0" * 64}, {"shop": "evil.com"}, {"code": "another"}):
        good = decide(stage, leave(person, connection))
        assert "not signed" in come_back(person, changed(good, **changes)), changes
    assert calls(stage, "shopify") == before


def test_neither_code_nor_state_nor_token_is_in_any_log(stage):
    person, connection = stage.house.sign_in(), stage.connection("google")
    url = leave(person, connection)
    location = decide(stage, url)
    come_back(person, location)
    come_back(person, location)
    played = stage.played["google"]
    secrets = [parts(location)["code"], parts(location)["state"], SECRET]
    secrets += [text for token in played.tokens for text in (token.access_token, token.refresh_token)]
    texts = {path.name: path.read_text(errors="replace") for path in stage.house.folder.rglob("*.log")}
    assert any("/connections/callback/google" in text for text in texts.values()), list(texts)
    for name, text in texts.items():
        for secret in secrets:
            assert secret not in text, name
    dump = stage.house.dump().decode(errors="replace")
    for secret in secrets:
        assert secret not in dump and secret.encode().hex() not in dump.lower()


def test_a_code_that_comes_while_the_hub_is_away_is_in_no_log_either(stage):
    house = stage.house
    house.supervisor.send_signal(signal.SIGTERM)
    house.supervisor.wait(40)
    try:
        answer = requests.get(house.url("/connections/callback/google?code=lonely-code&state=s"), timeout=10)
        assert answer.status_code == 502
        texts = [path.read_text(errors="replace") for path in house.folder.rglob("*.log")]
        assert not any("lonely-code" in text for text in texts)
    finally:
        house.start_hub()
        house.wait_ready()


def test_a_script_begins_and_ends_a_sign_in(stage):
    api, connection = stage.house.api(), stage.connection("google")
    begun = api.post(f"/connections/{connection}/authorize", {"scopes": ["openid", "email"]}).json()
    code = parts(decide(stage, begun["url"]))["code"]
    body = {"code": code, "state": begun["state"]}
    other = stage.house.api(stage.house.create_key(name="other"))
    assert other.post(f"/connections/{connection}/exchange", body).json()["code"] == "state_of_another_session"
    done = api.post(f"/connections/{connection}/exchange", body)
    assert done.status_code == 200 and done.json()["status"] == "connected", done.text
    assert done.json()["scopes"]["requested"] == ["openid", "email"]
    assert api.post(f"/connections/{connection}/exchange", body).json()["code"] == "state_used"
    page = requests.get(stage.house.url("/connections/callback/google"), params=body, timeout=10, allow_redirects=False)
    assert page.status_code == 303
