"""What the end-to-end tests share: a house for all, houses for one test, stand-ins, browsers."""

import shutil

import pytest

from browser import Browser
from house import House, MariaDB, memory
from standins import StandIns


# By how long they take, as the last run has measured them.
LONGEST = ("test_screenshots.py", "test_make_run.py", "test_gate.py", "test_fuzz.py", "test_oauth_apps.py",
           "test_oauth_clients.py", "test_oauth_catalogue.py", "test_webhooks.py", "test_webhook_pages.py")


def pytest_collection_modifyitems(items):
    """The files that take longest come first, so that no process is left with one of them when the others have ended."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_collection_finish(session):
    """Data lie in memory, unless one of the tests judges times: those are true of a disk only."""
    if session.items and not any(item.get_closest_marker("alone") for item in session.items):
        MariaDB.place = memory()


def pytest_unconfigure():
    if MariaDB.place:
        shutil.rmtree(MariaDB.place, ignore_errors=True)


@pytest.fixture(scope="session")
def standins():
    made = StandIns()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def database_template(tmp_path_factory):
    MariaDB.prepare(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def house(database_template, standins, tmp_path_factory):
    """The house that most tests share. It has one account, `house.OWNER`, and reaches the stand-ins."""
    folder = tmp_path_factory.mktemp("house")
    made = House(folder, settings=standins.settings(folder))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def make_house(database_template, standins, tmp_path):
    """Makes houses for one test, such as `make_house(mount="/x", workers=4)`."""
    made = []

    def make(start=True, settings=None, **options):
        folder = tmp_path / f"h{len(made)}"
        folder.mkdir()
        one = House(folder, settings={**standins.settings(folder), **(settings or {})}, **options)
        made.append(one)
        return one.start() if start else one

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def api(house):
    """JSON with a key that may do everything in the one organization."""
    return house.api()


@pytest.fixture
def clean(api):
    """Removes what a test connected, so that the next one starts from nothing."""
    yield api
    remove_all(api)


def remove_all(api):
    for connection in api.get("/connections").json()["data"]:
        if connection["name"] == "default":
            # The default one cannot be removed as long as it is that: it changes its name first.
            api.patch(f"/connections/{connection['id']}", {"name": "to-be-removed"})
        api.delete(f"/connections/{connection['id']}")


@pytest.fixture(scope="session")
def shared_browser():
    made = Browser()
    yield made
    made.close()


@pytest.fixture
def browser(shared_browser):
    """A window without memory of the test before."""
    shared_browser.driver.delete_all_cookies()
    shared_browser.resize("wide")
    shared_browser.scheme("light")
    shared_browser.console()
    yield shared_browser
    shared_browser.driver.get("about:blank")


@pytest.fixture(params=[True, False], ids=["javascript", "no-javascript"])
def either_browser(request):
    """A window with JavaScript, and one without it: both must get by."""
    made = Browser(javascript=request.param)
    yield made
    made.close()
