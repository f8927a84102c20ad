"""Webhooks in a browser: made, tried, watched, replayed and rolled; and the receiver's code that their pages offer, run."""

import html
import json
import os
import re
import shutil
import subprocess

import pytest

from house import OWNER, House, until
from standins import Service

JSON = "application/json"


class Receiver(Service):
    """Answers 204, or what `status` says, and remembers what came."""

    def __init__(self):
        self.status = 204
        super().__init__([], lambda request, body: (self.status, "", JSON))

    @property
    def deliveries(self):
        return [({name.lower(): value for name, value in headers.items()}, body)
                for _, _, headers, body in self.requests]

    def ids(self, event):
        """The ids of the deliveries of one kind of event, as they came."""
        return [headers["webhook-id"] for headers, body in self.deliveries if json.loads(body)["type"] == event]


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def told(database_template, tmp_path_factory):
    """A house that may call the receiver."""
    made = House(tmp_path_factory.mktemp("told"), settings={
        "HUB_WEBHOOK_ALLOW_HTTP": "yes", "HUB_ALLOW_NETWORKS": "127.0.0.0/8", "HUB_WEBHOOK_RETRY": "short"})
    try:
        yield made.start()
    finally:
        made.stop()


def sign_in(house, browser):
    """Signs in, unless a test before has left this window signed in."""
    browser.open(house.url("/webhooks"))
    if not browser.path.endswith("/sign-in"):
        return
    browser.fill(email=OWNER[0], password=OWNER[1]).press("sign in")
    browser.wait(lambda: not browser.path.endswith("/sign-in"))


def add(house, browser, receiver, name, **fields):
    """Adds a webhook for all events by the form; answers what was shown once, and the path of its page."""
    browser.open(house.url("/webhooks/new"))
    browser.fill(url=f"{receiver.url}/{name}", description=name, **fields)
    browser.driver.find_element("css selector", "input[name=events][value='*']").click()
    browser.press("add webhook")
    browser.wait_text("is ready")
    secret = browser.driver.find_element("id", "secret").text
    browser.press("I have stored it", "go to the webhook")
    browser.wait(lambda: re.search(r"/webhooks/[0-9a-f-]{36}$", browser.path))
    return secret, browser.path.removeprefix(house.mount)


def test_a_webhook_lives_in_a_browser(told, either_browser, receiver):
    browser, receiver.status = either_browser, 204
    sign_in(told, browser)
    name = f"ERP {browser.javascript}"
    secret, path = add(told, browser, receiver, name)
    assert secret.startswith("whsec_") and secret not in browser.driver.page_source

    browser.press("send test")
    browser.wait_text("The test was delivered: 204")
    assert "webhook-signature" in browser.text and "First byte" in browser.text
    assert secret not in browser.driver.page_source
    # Beside others: that a webhook was made is an event too, and arrives when it may.
    tests = lambda: receiver.ids("webhook.test")  # noqa: E731
    count = len(tests())
    browser.press("send again")
    browser.wait_text("It is sent again now")
    until(lambda: len(tests()) > count, what="the delivery sent again")
    assert tests()[-1] == tests()[count - 1]

    browser.open(told.url(path)).press("pause")
    browser.wait_text("paused. What happens is kept")
    browser.press("resume")
    browser.wait_text("goes on")

    published = lambda: receiver.ids("user.created")  # noqa: E731
    count = len(published())
    browser.open(told.url("/events/new")).fill(type="user.created", data='{"user_id": "u_7"}').press("publish event")
    browser.wait_text("Published. It goes to")
    until(lambda: len(published()) > count, what="the event at the receiver")

    # Every page's state follows what the background does: the delivery is noted a moment after it arrived.
    def noted():
        browser.open(told.url(f"{path}/replay?range=1h&status=delivered&event=user.*"))
        return "1 delivery to send again" in browser.text

    until(noted, what="the count")
    count = len(published())
    browser.press("send 1 delivery again")
    browser.wait_text("made due")
    until(lambda: len(published()) > count, what="the replayed delivery")
    assert published()[-1] == published()[count - 1]

    def finished():
        browser.open(browser.driver.current_url)
        return "1 of 1 made due" in browser.text and "Finished" in browser.text

    until(finished, what="the end of the replay")

    browser.open(told.url(f"{path}/roll")).press("roll secret")
    browser.wait_text("Both sign every delivery")
    rolled = browser.driver.find_element("id", "secret").text
    assert rolled.startswith("whsec_") and rolled != secret
    browser.open(told.url(path)).press("send test")
    browser.wait_text("The test was delivered")
    assert len(receiver.deliveries[-1][0]["webhook-signature"].split(" ")) == 2

    browser.open(told.url(f"{path}/remove")).fill(confirm_name=name).press("remove webhook")
    browser.wait_text(f"Webhook “{name}” removed")


def test_the_picker_narrows_and_tells_what_a_wildcard_takes_in(told, browser):
    sign_in(told, browser)
    browser.open(told.url("/webhooks/new"))
    search = browser.driver.find_element("css selector", "[data-narrows=pick]")
    search.send_keys("payment")
    shown = [one.text for one in browser.driver.find_elements("css selector", ".pick") if one.is_displayed()]
    assert len(shown) == 3 and all("payment" in text for text in shown)
    browser.driver.find_element("css selector", "input[value='payment.*']").click()
    values = [one.get_attribute("value") for one in browser.driver.find_elements("css selector", ".pick input")]
    kinds = [value for value in values if "*" not in value]
    browser.wait_text(f"2 of {len(kinds)} kinds chosen")
    covered = browser.driver.find_elements("css selector", ".is-covered input")
    assert [one.get_attribute("value") for one in covered] == ["payment.failed", "payment.succeeded"]


def test_a_failure_is_told_in_words(told, browser, receiver):
    sign_in(told, browser)
    receiver.status = 503
    try:
        _, path = add(told, browser, receiver, "failing")
        browser.press("send test")
        browser.wait_text("The receiver answered with status 503")
        assert "503 Service Unavailable" in browser.text
    finally:
        receiver.status = 204


def code(person, path, language):
    page = person.get(f"{path}/verify?language={language}").text
    return html.unescape(re.search(r'<pre class="code[^"]*" id="code"[^>]*>(.*?)</pre>', page, re.S)[1])


@pytest.mark.parametrize("scheme, given", [("v1", None), ("v1a", None), ("v1", "a passphrase of mine")])
@pytest.mark.parametrize("language", ["python", "javascript"])
def test_the_code_for_receivers_takes_what_the_hub_sends_and_nothing_else(
        told, browser, receiver, tmp_path, scheme, given, language):
    sign_in(told, browser)
    browser.open(told.url("/webhooks/new"))
    browser.driver.find_element("css selector", f"input[name=signature_scheme][value={scheme}]").click()
    browser.fill(url=f"{receiver.url}/code", description=f"{language} {scheme} {bool(given)}", secret=given or "")
    browser.driver.find_element("css selector", "input[name=events][value='webhook.test']").click()
    browser.press("add webhook")
    browser.wait_text("is ready")
    secret = browser.driver.find_element("id", "secret").text
    browser.press("I have stored it", "go to the webhook")
    browser.wait(lambda: re.search(r"/webhooks/[0-9a-f-]{36}$", browser.path))
    path = browser.path.removeprefix(told.mount)
    browser.press("send test")
    browser.wait_text("The test was delivered")
    # Webhooks of other tests are told that this one was created, at any moment.
    headers, body = [one for one in receiver.deliveries if b'"type":"webhook.test"' in one[1]][-1]
    person = told.sign_in()
    text = code(person, path, language)
    assert path.split("/")[-1] in text and (scheme == "v1a") == (secret in text)
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}
    cases = [(headers, body, True), (headers, body + b" ", False), (old, body, False)]
    if not given:
        cases.append(({**headers, "webhook-id": "another"}, body, False))
    for head, content, expected in cases:
        assert verdict(language, text, tmp_path, head, content, secret) is expected, (head, content)


def verdict(language, text, folder, headers, body, secret):
    """What the code says of a delivery, run by its language's own interpreter."""
    environment = {**os.environ, "WEBHOOK_SECRET": secret}
    if language == "python":
        pytest.importorskip("cryptography") if "cryptography" in text else None
        program = text + f"\nprint(verify({headers!r}, {body!r}))\n"
        command = ["python3", "-c", program]
    else:
        if not shutil.which("node"):
            pytest.skip("there is no node here")
        file = folder / "receiver.mjs"
        file.write_text(text + f"\nconsole.log(verify({json.dumps(headers)}, Buffer.from({list(body)})));\n")
        command = ["node", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().lower() == "true"


def test_the_command_for_receivers_signs_as_the_hub_does(told, browser, receiver):
    sign_in(told, browser)
    secret, path = add(told, browser, receiver, "by curl")
    person = told.sign_in()
    command, check = code(person, path, "curl"), code(person, path, "python")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, env={
        **os.environ, "WEBHOOK_SECRET": secret, "RECEIVER_URL": f"{receiver.url}/shell", "no_proxy": "*"})
    assert done.returncode == 0 and "204" in done.stdout, done.stderr
    headers, body = receiver.deliveries[-1]
    assert verdict("python", check, None, headers, body, secret) is True
