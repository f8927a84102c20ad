"""From nothing to signed in: the one-time link, the account, leaving and coming back."""

import re

import requests

from house import OWNER, Person
from standins import TELEGRAM_TOKEN

PASSWORD = "a password of some length"


def test_a_person_sets_the_hub_up_signs_out_and_signs_in_again(make_house, either_browser):
    house, browser = make_house(accounts=False), either_browser
    link = house.hub("set-up-link")
    assert link.startswith(house.url("/"))
    browser.open(link)
    browser.fill(organization_name="Example", name="Ana", email=OWNER[0], password=PASSWORD)
    browser.press("create organization")
    browser.wait(lambda: "set-up" not in browser.driver.current_url)
    browser.wait_text("Example")
    browser.press("sign out") if "sign out" in browser.text.lower() else browser.press("account").press("sign out")
    browser.wait(lambda: browser.path.endswith("/sign-in"))
    browser.fill(email=OWNER[0], password="wrong " + PASSWORD).press("sign in")
    browser.wait_text("The e-mail or the password is not right.")
    assert browser.field("email").get_attribute("value") == OWNER[0], "what was typed stays"
    assert browser.field("password").get_attribute("value") == "", "but not the secret"
    browser.fill(password=PASSWORD).press("sign in")
    browser.wait(lambda: not browser.path.endswith("/sign-in"))
    browser.wait_text("Example")

    assert requests.get(link, timeout=10).status_code in (404, 410), "the link worked once"
    refused = house.hub("set-up-link", check=False)
    assert refused.returncode != 0 and refused.stderr.strip()


def test_an_unset_up_hub_says_how_to_begin_and_gives_no_way_in(make_house):
    house = make_house(accounts=False)
    page = requests.get(house.url("/"), timeout=10)
    assert page.status_code == 200
    assert requests.get(house.url("/set-up/" + "a" * 43), timeout=10).status_code in (404, 410)


def test_pages_lead_to_the_sign_in_and_back(house):
    person = requests.Session()
    page = person.get(house.url("/connections"), timeout=10)
    assert "/sign-in" in page.url
    answer = house.sign_in().get("/connections")
    assert answer.status_code == 200 and "/sign-in" not in answer.url


def test_signing_in_changes_the_session_and_signing_out_ends_it(house):
    person = house.sign_in()
    cookies = {cookie.name: cookie for cookie in person.session.cookies}
    assert cookies
    signed_in = dict(person.session.cookies)
    person.submit("/connections", having="sign-out")
    replay = requests.get(house.url("/connections"), cookies=signed_in, timeout=10)
    assert "/sign-in" in replay.url, "the old cookie is dead"


def test_a_session_of_before_is_worth_nothing_after_signing_in(house):
    person = Person(house)
    person.get("/sign-in")
    before = dict(person.session.cookies)
    person.submit("/sign-in", email=OWNER[0], password=OWNER[1])
    assert dict(person.session.cookies) != before
    assert "/sign-in" in requests.get(house.url("/connections"), cookies=before, timeout=10).url


def test_cookies_are_closed_to_scripts_and_other_sites(house):
    person = house.sign_in()
    answers = [person.session.get(house.url("/sign-in"), timeout=10)]
    session = requests.Session()
    answers.append(session.get(house.url("/sign-in"), timeout=10))
    set_cookies = [value for answer in answers for value in answer.raw.headers.getlist("Set-Cookie")]
    for value in set_cookies:
        assert "httponly" in value.lower() and "samesite=lax" in value.lower(), value


def test_a_form_without_its_token_or_from_another_site_is_refused(house):
    person = house.sign_in()
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = person.session.post(house.url("/connections/new/telegram"), headers=headers, timeout=10,
                                     data={"bot_token": TELEGRAM_TOKEN}, allow_redirects=False)
        assert answer.status_code == 403


def test_guessing_is_slowed_by_account_and_address(make_house):
    house = make_house()
    person, statuses = Person(house), []
    for number in range(30):
        statuses.append(person.submit("/sign-in", email=OWNER[0], password=f"guess {number}").status_code)
        if statuses[-1] == 429:
            break
    assert statuses[-1] == 429, statuses
    assert statuses.count(429) == 1 and len(statuses) <= 21


def test_an_unknown_account_answers_as_a_known_one(house):
    texts = []
    for email in ("nobody@example.org", "noone@example.org"):
        answer = Person(house).submit("/sign-in", email=email, password="wrong password")
        texts.append((answer.status_code, re.sub(r'value="[^"]*"|[0-9a-f]{32}', "", answer.text)))
    known = Person(house).submit("/sign-in", email=OWNER[0], password="wrong password")
    texts.append((known.status_code, re.sub(r'value="[^"]*"|[0-9a-f]{32}', "", known.text)))
    assert texts[0] == texts[1] == texts[2]


def test_accounts_can_be_made_and_listed_by_command(make_house):
    house = make_house()
    made = house.hub("user", "create", "--email", "two@example.org", "--org", "Example", "--role", "member")
    assert len(made) >= 15, "a password was thought up and printed"
    assert "two@example.org" in house.hub("user", "list")
    again = house.hub("user", "create", "--email", "two@example.org", "--org", "Example", "--role", "member", check=False)
    assert again.returncode != 0
    house.hub("user", "password", "--email", "two@example.org", input="yet another password\n")
    house.sign_in("two@example.org", "yet another password")
