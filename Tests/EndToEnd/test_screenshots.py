"""Every page, wide and 360 px, light and dark: photographed, judged by axe-core, and never wider than its window."""

import datetime
import urllib.parse

import pytest

import inbound
import traffic
from browser import SCHEMES, SIZES
from house import OWNER, House, until
from standins import TELEGRAM_TOKEN, Service

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
    "platforms": "/platforms",
    "platform-choice": "/platforms/new",
    "platform-new": "/platforms/new/slack",
    "platform": "/platforms/{platform}",
    "platform-failing": "/platforms/{failing_platform}",
    "platform-empty": "/platforms/{new_platform}",
    "platform-edit": "/platforms/{platform}/edit",
    "platform-rotate": "/platforms/{platform}/rotate",
    "platform-remove": "/platforms/{platform}/remove",
    "platform-post": "/platforms/channels/{channel}/post",
    "workspace-remove": "/organization/workspaces/{workspace}/remove",
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
    "oauth-apps": "/oauth-apps",
    "oauth-apps-none": "/oauth-apps?q=nothing+has+this+name",
    "oauth-app-new": "/oauth-apps/new",
    "oauth-app": "/oauth-apps/{app}",
    "oauth-app-disabled": "/oauth-apps/{disabled_app}",
    "oauth-app-edit": "/oauth-apps/{app}/edit",
    "oauth-app-roll": "/oauth-apps/{app}/roll-secret",
    "oauth-app-delete": "/oauth-apps/{app}/delete",
    "oauth-app-tokens": "/oauth-apps/{app}/tokens",
    "oauth-app-tokens-none": "/oauth-apps/{disabled_app}/tokens",
    "oauth-app-tokens-revoke": "/oauth-apps/{app}/tokens/revoke-all",
    "oauth-third-party": "/oauth-apps/third-party",
    "oauth-consent": "/oauth/authorize?{consent}",
    "oauth-device": "/oauth/device?user_code=WDJB-MJHT",
    "apps-with-access": "/apps",
    "webhooks": "/webhooks",
    "webhook-new": "/webhooks/new",
    "webhook": "/webhooks/{webhook}",
    "webhook-week": "/webhooks/{webhook}?range=7d&status=failed",
    "webhook-failing": "/webhooks/{failing_webhook}",
    "webhook-disabled": "/webhooks/{disabled_webhook}",
    "webhook-edit": "/webhooks/{webhook}/edit",
    "webhook-roll": "/webhooks/{webhook}/roll",
    "webhook-remove": "/webhooks/{failing_webhook}/remove",
    "webhook-verify": "/webhooks/{webhook}/verify",
    "webhook-verify-curl": "/webhooks/{webhook}/verify?language=curl",
    "webhook-verify-key-pair": "/webhooks/{disabled_webhook}/verify?language=swift",
    "webhook-replay": "/webhooks/{webhook}/replay",
    "webhook-replay-counted": "/webhooks/{failing_webhook}/replay?range=7d&status=waiting",
    "webhook-replay-running": "/replays/{replay}",
    "webhook-delivery": "/deliveries/{delivery}",
    "webhook-delivery-first": "/deliveries/{delivery}?attempt=1",
    "webhook-delivery-payload": "/deliveries/{delivery}?show=payload",
    "webhook-delivery-good": "/deliveries/{good_delivery}",
    "webhook-events": "/events",
    "webhook-events-none": "/events?type=nothing.like.this",
    "webhook-event": "/events/{event}",
    "webhook-event-new": "/events/new?type=payment.succeeded",
    "webhook-event-types": "/event-types",
    "webhook-event-type": "/event-types/order.shipped",
    "webhook-event-type-new": "/event-types/new-type",
    "webhook-event-type-edit": "/event-types/order.shipped/edit",
    "webhook-event-type-remove": "/event-types/order.shipped/remove",
    "inbound-sources": "/inbound-sources",
    "inbound-services": "/inbound-sources/new",
    "inbound-new": "/inbound-sources/new?provider=slack",
    "inbound-new-open": "/inbound-sources/new?provider=custom_webhook",
    "inbound-source": "/inbound-sources/{source}",
    "inbound-source-closed": "/inbound-sources/{closed_source}",
    "inbound-source-edit": "/inbound-sources/{source}/edit",
    "inbound-source-secret": "/inbound-sources/{source}/secret",
    "inbound-source-address": "/inbound-sources/{source}/address",
    "inbound-source-remove": "/inbound-sources/{source}/remove",
    "inbound-debug": "/inbound-sources/{source}/debug",
    "inbound-refusal": "/inbound-refusals/{refusal}",
    "inbound-events": "/inbound-events",
    "inbound-events-none": "/inbound-events?type=nothing",
    "inbound-event": "/inbound-events/{inbound_event}",
    "inbound-event-dead": "/inbound-events/{dead_event}",
    "inbound-replay": "/inbound-events/replay",
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
    "api-chapter": "/api/docs/connections",
    "not-found": "/nothing-here",
}


@pytest.fixture(scope="module")
def furnished(database_template, standins, tmp_path_factory):
    """A house with something on every page: connections that work, fail, and are switched off."""
    folder = tmp_path_factory.mktemp("furnished")
    house = House(folder, settings={
        **standins.settings(folder), "HUB_WEBHOOK_ALLOW_HTTP": "yes", "HUB_ALLOW_NETWORKS": "127.0.0.0/8"})
    receiver = Service([], receive)
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
        ids |= furnish_apps(house, api)
        ids |= furnish_webhooks(house, api, receiver)
        ids |= furnish_platforms(house, api)
        ids |= furnish_inbound(api)
        ids["request"] = traffic.furnish(house)
        house.ids = ids
        yield house
    finally:
        house.stop()
        receiver.stop()


def receive(request, body):
    """A receiver of webhooks, well or ill by its path."""
    if request.path == "/busy":
        return 503, "<h1>Maintenance</h1>\n<p>Back at noon.</p>", "text/html"
    return (410 if request.path == "/gone" else 204), "", "text/plain"


def furnish_apps(house, api):
    """An app that people let in and one that was put aside; answers their ids, and what one of them would ask for."""
    ids = {}
    for name, scopes in (("Nightly export", ["connections:read", "messages:write", "payments:read"]),
                         ("An app with a name that is rather long for an app", ["admin:*"])):
        made = api.post("/oauth-apps", {
            "name": name, "scopes": scopes, "redirect_uris": ["https://export.example/callback", "http://127.0.0.1/cb"],
            "description": "Copies each day’s orders into the warehouse’s books.", "website_url": "https://export.example",
            "privacy_policy_url": "https://export.example/privacy"})
        assert made.status_code == 201, made.text
        ids[name] = made.json()
    app, other = ids.values()
    assert api.post(f"/oauth-apps/{app['id']}/roll-secret", {}).status_code == 200
    assert api.post(f"/oauth-apps/{other['id']}/disable").status_code == 200
    for table, columns, values in (
            ("oauth_consents", "scopes, updated_at", "'connections:read', UTC_TIMESTAMP(6)"),
            ("oauth_grants", "scopes, resources, expires_at, last_used_at",
             "'connections:read', '', UTC_TIMESTAMP(6) + INTERVAL 20 DAY, UTC_TIMESTAMP(6) - INTERVAL 4 MINUTE")):
        house.sql(f"INSERT INTO {table} (id, user_id, organization_id, app_id, created_at, {columns})"
                  f" SELECT UNHEX(MD5(%s)), m.user_id, m.organization_id, a.id, UTC_TIMESTAMP(6) - INTERVAL 9 DAY, {values}"
                  " FROM memberships m JOIN oauth_apps a ON a.name = 'Nightly export' LIMIT 1", table)
    query = urllib.parse.urlencode({
        "response_type": "code", "client_id": app["client_id"], "redirect_uri": "https://export.example/callback",
        "state": "xyz", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"})
    return {"app": app["id"], "disabled_app": other["id"], "consent": query}


def furnish_webhooks(house, api, receiver):
    """Webhooks that deliver, fail and were disabled, with two days of attempts; answers the ids of what pages are about."""
    ids = {}
    api.post("/event-types", {
        "name": "order.shipped", "description": "An order left the warehouse.",
        "schema": {"type": "object", "required": ["order_id"], "properties": {"order_id": {"type": "string"}}},
        "example": {"order_id": "o_4711", "parcels": 2, "express": False, "carrier": None}})
    for kind, wanted in {
            "webhook": {"url": "/erp", "description": "ERP", "events": ["payment.*", "order.shipped", "user.created"],
                        "headers": {"X-Api-Key": "never-to-be-seen"}, "per_second": 20, "ordering": "skip"},
            "failing_webhook": {"url": "/busy", "description": "Newsletter", "events": ["user.*"]},
            "disabled_webhook": {"url": "/gone", "events": ["*"], "signature_scheme": "v1a"}}.items():
        made = api.post("/webhooks", {**wanted, "url": receiver.url + wanted["url"]})
        assert made.status_code == 201, made.text
        ids[kind] = made.json()["id"]
    for number in range(12):
        for name, data in (("payment.succeeded", {"payment_id": f"in_88{number}", "amount": 12900, "currency": "EUR",
                                                  "items": [{"sku": "A-7", "count": 2}], "note": "Grüße <b>“7”</b>"}),
                           ("user.created", {"user_id": f"u_{number}", "email": "ana@example.org"})):
            answer = api.post("/events", {"type": name, "id": f"{name}-{number}", "data": data})
            assert answer.status_code == 202, answer.text
            ids["event"] = answer.json()["id"]
    until(lambda: not house.sql("SELECT 1 FROM deliveries WHERE attempts = 0 AND state = 'waiting'"), what="attempts")
    until(lambda: house.sql("SELECT 1 FROM webhooks WHERE state = 'disabled'"), what="the answer 410")
    spread(house)
    api.post(f"/webhooks/{ids['webhook']}/roll-secret", {})
    replay = api.post(f"/webhooks/{ids['webhook']}/replay", {"since": "2026-01-01T00:00:00Z", "status": "delivered"})
    ids["replay"] = replay.json()["id"]
    until(lambda: api.get(f"/replays/{ids['replay']}").json()["state"] == "finished", what="the replay")
    house.sql("UPDATE replays SET state = 'running', done = 4, total = 19, finished_at = NULL")
    bad = api.get(f"/webhooks/{ids['failing_webhook']}/deliveries").json()["data"][0]["id"]
    api.post(f"/deliveries/{bad}/retry")
    until(lambda: api.get(f"/deliveries/{bad}").json()["attempts"] > 1, what="the second attempt")
    good = api.get(f"/webhooks/{ids['webhook']}/deliveries?status=delivered").json()["data"][0]["id"]
    house.sql("UPDATE webhooks SET failing_since = UTC_TIMESTAMP(6) - INTERVAL 5 HOUR WHERE description = 'Newsletter'")
    return ids | {"delivery": bad, "good_delivery": good}


def furnish_inbound(api):
    """Sources that are open and closed, with events that were published and put aside, and requests that were refused."""
    closed = inbound.source(api, "stripe", name="Stripe of the shop")
    slack = inbound.Slack()
    made = inbound.source(api, "slack", secret=slack.secret, name="Slack of the team")
    for number in range(3):
        body = slack.body(f"Ev0123456{number}")
        assert inbound.send(made["url"], body.encode(), slack.sign(body)).status_code == 200
    assert inbound.send(made["url"], slack.body().encode() + b"\n", slack.sign(slack.body())).status_code == 401
    assert inbound.send(made["url"], b"{}", slack.sign("{}", at=1_700_000_000)).status_code == 401
    github = inbound.GitHub()
    code = inbound.source(api, "github", secret=github.secret)
    assert inbound.send(code["url"], b'{"ref": ', github.sign('{"ref": ')).status_code == 400

    def event(state):
        found = api.get(f"/inbound-events?state={state}").json()["data"]
        return found and found[0]["id"]

    refused = api.get(f"/inbound-sources/{made['id']}/refusals").json()["data"]
    return {"source": made["id"], "closed_source": closed["id"], "refusal": refused[1]["id"],
            "inbound_event": until(lambda: event("published"), what="an event"), "dead_event": event("dead")}


def spread(house):
    """Copies the attempts over two days, of deliveries that are forgotten since, as charts are looked at."""
    for hour in range(1, 48):
        house.sql("INSERT INTO delivery_attempts SELECT UNHEX(MD5(CONCAT(HEX(delivery_id), %s))), 1, organization_id,"
                  " webhook_id, cause, started_at - INTERVAL %s HOUR, IF(RAND(%s) < 0.08, 503, status), IF(RAND(%s) < 0.08, 'status', error),"
                  " dns_us, connect_us, tls_us, first_byte_us, 40000 + RAND(%s) * 200000, talk_sealed"
                  " FROM delivery_attempts WHERE number = 1 AND delivery_id IN (SELECT id FROM deliveries)"
                  " AND RAND(%s) < 0.4 + 0.3 * SIN(%s)",
                  hour, hour, hour, hour, hour, hour, hour)


def furnish_platforms(house, api):
    """Chat platforms in two workspaces: one with channels of all kinds, one that fails, one that is new."""
    ids, base = {}, house.url("/api/v2/platform-integrations")

    def ask(method, path, body=None):
        answer = api.session.request(method, base + path, json=body, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json()

    for workspace in ("Support", "Engineering"):
        made = api.post("/workspaces", {"name": workspace})
        assert made.status_code == 201, made.text
        ids["workspace"] = made.json()["id"]
        for platform in ("slack", "discord", "telegram") if workspace == "Engineering" else ("slack",):
            made = ask("POST", "", {"workspace_id": ids["workspace"], "platform": platform, "config": (
                {} if platform == "telegram" else {"bot_token": "xoxb-1234567890", "team_id": "T0123456789"})})
            ids[f"{workspace} {platform}"] = made["integration"]["id"]
    one, failing = ids["Engineering slack"], ids["Engineering discord"]
    ask("POST", f"/{one}/api-key")
    house.sql("UPDATE platform_integrations SET connected = 1, last_connected_at = UTC_TIMESTAMP(6) - INTERVAL 4 MINUTE,"
              " channels_synced_at = UTC_TIMESTAMP(6) - INTERVAL 4 MINUTE WHERE platform = 'slack'")
    house.sql("UPDATE platform_integrations SET connected = 0, last_connected_at = UTC_TIMESTAMP(6) - INTERVAL 2 DAY,"
              " connection_error = 'Discord refused these credentials (401). It said: “401: Unauthorized”.'"
              " WHERE platform = 'discord'")
    for number, (name, topic, direction, vanished) in enumerate((
            ("engineering", "Engineering team discussions", "both", False), ("general", "All of us", None, False),
            ("incidents-with-a-name-that-is-rather-long-for-a-channel", "What broke, since when, and who is at it; "
             "please keep to the thread of the incident and write what you have tried already", "inbound", False),
            ("old-launch", None, "outbound", True), ("releases", None, "outbound", False))):
        house.sql("INSERT INTO platform_channels (id, organization_id, integration_id, platform_channel_id,"
                  " platform_server_id, channel_name, channel_type, channel_topic, sync_direction, lvng_conversation_id,"
                  " vanished_at, created_at, updated_at) SELECT UNHEX(MD5(%s)), organization_id, id, %s, 'T0123456789', %s,"
                  " 'public', %s, %s, IF(%s = 0, UNHEX(MD5('conversation')), NULL), IF(%s, UTC_TIMESTAMP(6), NULL),"
                  " created_at, created_at FROM platform_integrations WHERE id = UNHEX(REPLACE(%s, '-', ''))",
                  name, f"C012345678{number}", name, topic, direction, number, vanished, one)
    channel = ask("GET", f"/{one}/channels")["channels"][0]["id"]
    return ids | {"platform": one, "failing_platform": failing, "new_platform": ids["Engineering telegram"],
                  "channel": channel}


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


def test_the_page_that_shows_a_webhooks_secret_once_stands_up(furnished, signed_in):
    def create():
        signed_in.driver.execute_script("document.querySelector('input[name=events]').checked = true")
        signed_in.fill(url="https://example.org/hooks", description="Shown once").press("add webhook")
        signed_in.wait_text("cannot be shown again")

    assert judge(signed_in, "webhook-secret", furnished.url("/webhooks/new"), create) == []


def test_the_page_that_shows_a_platform_key_once_stands_up(furnished, signed_in):
    def replace():
        signed_in.press("replace key")
        signed_in.wait_text("cannot be shown again")

    url = furnished.url(PAGES["platform"].format(**furnished.ids))
    assert judge(signed_in, "platform-key", url, replace) == []


def test_a_refused_webhook_stands_up(furnished, signed_in):
    def refuse():
        signed_in.fill(url="ftp://example.org", secret="tiny", header_lines="no colon").press("add webhook")
        signed_in.wait(lambda: signed_in.driver.find_elements("css selector", "[aria-invalid=true]"))

    refused = judge(signed_in, "webhook-new-refused", furnished.url("/webhooks/new"), refuse)
    assert [text for text in refused if "422" not in text] == []


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

    wrong += judge(browser, "api-reference-signed-out", house.url("/api/docs"))

    def unfold():
        # The one in the address, with everything that an operation can have, unfolds by itself.
        assert browser.driver.execute_script("return document.querySelector('#changeConnection').open")
        browser.driver.execute_script(
            "for (const one of document.querySelectorAll('#changeConnection details')) one.open = true")

    wrong += judge(browser, "api-chapter-unfolded", house.url("/api/docs/connections#changeConnection"), unfold)

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
                       "request-log": "/request-logs", "usage": "/usage", "webhooks": "/webhooks",
                       "webhook-events": "/events", "platforms": "/platforms"}.items():
        wrong += judge(browser, f"{name}-empty", house.url(path))
    assert wrong == []


def test_the_page_of_a_hub_that_is_away_stands_up(make_house, browser):
    house = make_house()
    house.supervisor.terminate()
    house.supervisor.wait(40)
    wrong = [text for text in judge(browser, "away", house.url("/")) if "502" not in text]
    assert wrong == []


def test_titles_are_unique(furnished, signed_in):
    # Cookies know no ports: another house of these tests may have taken the place of this one's session, or none.
    signed_in.open(furnished.url("/sign-in")).driver.delete_all_cookies()
    signed_in.open(furnished.url("/sign-in")).fill(email=OWNER[0], password=OWNER[1]).press("sign in")
    signed_in.wait(lambda: not signed_in.path.endswith("/sign-in"))
    titles = {}
    for name, path in PAGES.items():
        signed_in.open(furnished.url(path.format(**furnished.ids)))
        titles.setdefault(signed_in.driver.title, []).append(name)
    assert [names for names in titles.values() if len(names) > 1] == []
