"""Debian's chromium, driven by selenium: wide and narrow, light and dark, with and without JavaScript, and axe-core."""

import base64
import pathlib

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

HERE = pathlib.Path(__file__).parent
SCREENSHOTS = HERE / "screenshots"
AXE = HERE.parents[1] / ".venv" / "axe.min.js"
SIZES = {"wide": (1280, 820), "narrow": (360, 740)}
SCHEMES = ("light", "dark")


class Browser:
    """One window. The driver itself is `driver`; the methods are what a person does."""

    def __init__(self, *, javascript=True, arguments=()):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--hide-scrollbars", "--force-color-profile=srgb", "--no-proxy-server", "--lang=en-GB", *arguments):
            options.add_argument(argument)
        if not javascript:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.javascript = javascript
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        # axe-core has much to read on the reference of the API.
        self.driver.set_script_timeout(120)
        self.resize("wide")

    def close(self):
        self.driver.quit()

    # --- the window

    def resize(self, size):
        width, height = SIZES[size]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "narrow"})

    def scheme(self, scheme):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def console(self):
        """What the page complained about: blocked by the policy, not found, thrown."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    # --- a person's acts

    def open(self, url):
        self.driver.get(url)
        return self

    @property
    def path(self):
        return self.driver.execute_script("return location.pathname") if self.javascript else \
            "/" + self.driver.current_url.split("/", 3)[3].split("?")[0]

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def wait(self, condition, seconds=15):
        # Between finding an element and asking it the page may have gone, and the driver has many words for that.
        waiting = WebDriverWait(self.driver, seconds, 0.05, ignored_exceptions=[WebDriverException])
        return waiting.until(lambda _: condition())

    def wait_text(self, words, seconds=15):
        self.wait(lambda: words.lower() in self.text.lower(), seconds)

    def field(self, name):
        """The field of this name, once there is one: a page pressed for may still be on its way."""
        return self.wait(lambda: self.driver.find_element(By.NAME, name))

    def fill(self, **fields):
        for name, value in fields.items():
            element = self.field(name)
            if element.tag_name == "select":
                Select(element).select_by_value(value)
            else:
                element.clear()
                element.send_keys(value)
        return self

    def press(self, *words):
        """Presses the button, or follows the link, whose words these are; the first that is there and visible."""
        for word in words:
            lower = "translate(normalize-space(.), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')"
            for tag in ("button", "a", "summary"):
                for element in self.driver.find_elements(By.XPATH, f"//{tag}[contains({lower}, '{word.lower()}')]"):
                    if element.is_displayed():
                        element.click()
                        return self
        raise AssertionError(f"{self.driver.current_url} has nothing to press called {words}:\n{self.text[:1500]}")

    # --- judging the page

    def axe(self):
        """Runs axe-core with WCAG 2.2 A and AA and best practices, and returns its violations."""
        self.driver.execute_script(AXE.read_text())
        return self.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            axe.run(document, {resultTypes: ["violations"]}).then(
                result => done(result.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ")).join(", "))),
                error => done(["axe itself failed: " + error]));
        """)

    def overflow(self):
        """How many pixels the page is wider than its window."""
        return self.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def photograph(self, name):
        """The whole page, from its top to its end."""
        SCREENSHOTS.mkdir(exist_ok=True)
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        width = self.driver.execute_script("return innerWidth")
        picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
        path = SCREENSHOTS / f"{name}.png"
        path.write_bytes(base64.b64decode(picture["data"]))
        return path
