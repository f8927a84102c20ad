"""Every page, wide and 360 px, light and dark: photographed, judged by axe-core, and never wider than its window."""

import datetime

import pytest

import traffic
from browser import SCHEMES, SIZES
from house import OWNER, House
from standins import TELEGRAM_TOKEN

# A page's name, and its path; {telegram} and the like are ids of connections, {key} and {disabled_key} those of API keys.
PAGES = {
    "dashboard": "/",
    "connections": "/connections",
    "gallery": "/connections/new",
    "connect-telegram": "/connections/new/telegram",
    "connect-aws": "/connections/new/aws",
    "connect-smtp": "/connections/new/smtp",
    "connect-slack": "/connections/new/slack",
    "gallery-webhooks": "/connections/new?kind=webhook",
    "provider": "/providers/microsoft_teams",
    "provider-new": "/providers/new",
    "connection": "/connections/{telegram}",
    "connection-error": "/connections/{sendgrid}",
    "connection-messages": "/connections/{telegram}/messages",
    "connection-edit": "/connections/{telegram}/edit",
    "connection-remove": "/connections/{telegram}/remove",
    "connection-disconnect": "/connections/{telegram}/disconnect",
    "api-keys": "/api-keys",
    "api-keys-unused": "/api-keys?state=unused",
    "api-keys-none": "/api-keys?q=nothing+has+this+name",
    "api-keys-revoke-unused": "/api-keys/revoke-unused",
    "api-key-new": "/api-keys/new",
    "api-key": "/api-keys/{key}",
    "api-key-disabled": "/api-keys/{disabled_key}",
    "api-key-edit": "/api-keys/{key}/edit",
    "api-key-roll": "/api-keys/{key}/roll",
    "api-key-revoke": "/api-keys/{key}/revoke",
    "organization": "/organization",
    "account": "/account",
    "system": "/system",
    "request-log": "/request-logs?range=7d",
    "request-log-failed": "/request-logs?status=failed&method=POST",
    "request": "/request-logs/{request}",
    "usage-day": "/usage?range=24h",
    "usage-week": "/usage?range=7d",
    "usage-month": "/usage",
    "usage-quarter": "/usage?range=90d",
    "audit-log": "/audit-log",
    "api-reference": "/api/docs",
    "not-found": "/nothing-here",
}


@pytest.fixture(scope="module")
def furnished(database_template, standins, tmp_path_factory):
    """A house with something on every page: connections that work, fail, and are switched off."""
    folder = tmp_path_factory.mktemp("furnished")
    house = House(folder, settings=standins.settings(folder))
    try:
        api = house.start().api()
        ids = {}
        for kind, (setup, secret, wrong) in standins.setups().items():
            made = api.create(kind, {**setup, secret: wrong} if kind == "sendgrid" else setup)
            ids[kind] = made["id"]
            api.post(f"/connections/{made['id']}/test")
        api.create("telegram", {"bot_token": TELEGRAM_TOKEN}, name="support")
        api.patch(f"/connections/{ids['openrouter']}", {"enabled": False})
        for to in ("4711471147", "@nobody_here"):
            api.post(f"/connections/{ids['telegram']}/messages?wait=true", {"to": to, "text": "Order 7 is paid."})
        ids |= furnish_keys(house, api)
        ids["request"] = traffic.furnish(house)
        house.ids = ids
        yield house
    finally:
        house.stop()


def furnish_keys(house, api):
    """Keys in all their states beside the one that is asking; answers the ids of one in use and of one put aside."""
    soon = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ids = {}
    for wanted in ({"name": "nightly export", "scopes": ["connections:read", "audit:read", "payments:read"],
                    "rate_limit": {"requests_per_minute": 600, "requests_per_hour": 20000},
                    "allowed_ips": ["203.0.113.0/24", "2001:db8::/32"],
                    "metadata": {"team": "billing", "host": "export-1"}},
                   {"name": "trial", "scopes": ["connections:read"], "expires_at": soon},
                   {"name": "website", "scopes": ["connections:read", "credentials:read"], "expires_at": None},
                   {"name": "mobile app", "scopes": ["connections:read", "messages:read", "messages:write", "usage:read"]},
                   {"name": "import of 2024", "scopes": ["connections:write"]},
                   {"name": "old website", "scopes": ["connections:read"]}):
        made = api.post("/api-keys", wanted)
        assert made.status_code == 201, made.text
        ids[wanted["name"]] = made.json()["id"]
    house.sql("UPDATE api_keys SET created_at = created_at - INTERVAL 200 DAY, last_used_address = '203.0.113.9',"
              " last_used_at = created_at + INTERVAL 80 DAY WHERE name = 'import of 2024'")
    house.sql("UPDATE api_keys SET last_used_at = UTC_TIMESTAMP(6) - INTERVAL 4 MINUTE, last_used_address = '203.0.113.9'"
              " WHERE name IN ('nightly export', 'website')")
    for path in (f"{ids['nightly export']}/roll", f"{ids['mobile app']}/disable"):
        assert api.post(f"/api-keys/{path}").status_code == 200
    api.delete(f"/api-keys/{ids['old website']}")
    return {"key": ids["nightly export"], "disabled_key": ids["mobile app"]}


@pytest.fixture(scope="module")
def signed_in(furnished, shared_browser):
    shared_browser.driver.delete_all_cookies()
    shared_browser.resize("wide")
    shared_browser.open(furnished.url("/sign-in")).fill(email=OWNER[0], password=OWNER[1]).press("sign in")
    shared_browser.wait(lambda: not shared_browser.path.endswith("/sign-in"))
    return shared_browser


def judge(browser, name, url, then=lambda: None):
    """Photographs a page in its four forms, or what follows from it; answers what is wrong with any of them."""
    wrong = []
    for size in SIZES:
        for scheme in SCHEMES:
            browser.resize(size)
            browser.scheme(scheme)
            browser.console()
            browser.open(url)
            then()
            browser.photograph(f"{name}-{size}-{scheme}")
            here = f"{name}, {size}, {scheme}"
            wrong += [f"{here}: {violation}" for violation in browser.axe()]
            if browser.overflow() > 0:
                wrong.append(f"{here}: {browser.overflow()} px wider than the window")
            wrong += [f"{here}: {message}" for message in browser.console() if "404" not in message]
    return wrong


@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_up_in_all_its_forms(furnished, signed_in, name):
    assert judge(signed_in, name, furnished.url(PAGES[name].format(**furnished.ids))) == []


def test_the_page_that_shows_a_key_once_stands_up(furnished, signed_in):
    def create():
        signed_in.fill(name="nightly export").press("create key")
        signed_in.wait_text("cannot be shown again")

    assert judge(signed_in, "api-key-created", furnished.url("/api-keys/new"), create) == []


def test_the_page_that_shows_a_rolled_key_once_stands_up(furnished, signed_in):
    def roll():
        signed_in.press("roll key")
        signed_in.wait_text("cannot be shown again")

    url = furnished.url(PAGES["api-key-roll"].format(**furnished.ids))
    assert judge(signed_in, "api-key-rolled", url, roll) == []


def test_a_refused_key_stands_up(furnished, signed_in):
    def refuse():
        signed_in.fill(name="nightly export", allowed_ips="300.1.2.3", metadata="no equals sign",
                       **{"rate_limit.requests_per_minute": "0"}).press("create key")
        signed_in.wait(lambda: signed_in.driver.find_elements("css selector", "[aria-invalid=true]"))

    refused = judge(signed_in, "api-key-new-refused", furnished.url("/api-keys/new"), refuse)
    assert [text for text in refused if "422" not in text] == []


def test_a_refused_revocation_stands_up(furnished, signed_in):
    def refuse():
        signed_in.fill(confirm_name="something else").press("revoke key")
        signed_in.wait(lambda: signed_in.driver.find_elements("css selector", "[aria-invalid=true]"))

    url = furnished.url(PAGES["api-key-revoke"].format(**furnished.ids))
    # A refused form is answered with 422, which the browser's console calls an error.
    assert [text for text in judge(signed_in, "api-key-revoke-refused", url, refuse) if "422" not in text] == []


def test_pages_before_signing_in_stand_up(make_house, browser):
    house = make_house(accounts=False)
    wrong = judge(browser, "unset-up", house.url("/"))
    wrong += judge(browser, "set-up", house.hub("set-up-link"))
    house.create_user(*OWNER, org="Example")
    wrong += judge(browser, "sign-in", house.url("/sign-in"))

    def unfold():
        # One with everything that an operation can have; all of them are more than a photograph holds.
        browser.driver.execute_script(
            "for (const one of document.querySelectorAll('#changeConnection, #changeConnection details')) one.open = true")

    wrong += judge(browser, "api-reference-unfolded", house.url("/api/docs"), unfold)

    def refuse():
        browser.fill(email="someone@example.org", password="wrong password").press("sign in")
        browser.wait_text("is not right")

    refused = judge(browser, "sign-in-refused", house.url("/sign-in"), refuse)
    assert wrong + [text for text in refused if "422" not in text] == []


def test_empty_pages_stand_up(make_house, browser):
    house = make_house()
    browser.open(house.url("/sign-in")).fill(email=OWNER[0], password=OWNER[1]).press("sign in")
    browser.wait(lambda: not browser.path.endswith("/sign-in"))
    wrong = []
    for name, path in {"dashboard": "/", "connections": "/connections", "api-keys": "/api-keys",
                       "request-log": "/request-logs", "usage": "/usage"}.items():
        wrong += judge(browser, f"{name}-empty", house.url(path))
    assert wrong == []


def test_the_page_of_a_hub_that_is_away_stands_up(make_house, browser):
    house = make_house()
    house.supervisor.terminate()
    house.supervisor.wait(40)
    wrong = [text for text in judge(browser, "away", house.url("/")) if "502" not in text]
    assert wrong == []


def test_titles_are_unique(furnished, signed_in):
    # Cookies know no ports: another house of these tests may have taken the place of this one's session.
    signed_in.open(furnished.url("/sign-in")).fill(email=OWNER[0], password=OWNER[1]).press("sign in")
    signed_in.wait(lambda: not signed_in.path.endswith("/sign-in"))
    titles = {}
    for name, path in PAGES.items():
        signed_in.open(furnished.url(path.format(**furnished.ids)))
        titles.setdefault(signed_in.driver.title, []).append(name)
    assert [names for names in titles.values() if len(names) > 1] == []
