"""Goes through the three screens by keyboard alone, in Spanish and English, and lets axe-core judge each page.

Not here: what the pages say to whom, which the stories on real nodes assert. Fails at the first thing that is wrong.
"""

import argparse
import base64
import importlib.util
import pathlib
import shutil
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from stage import Stage

WIDTH, HEIGHT = 390, 844
PATIENCE = 20
MOST_TABS = 600
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
]
# Of what axe-core finds, these fail; the rules of good practice beyond WCAG are among them.
GRAVE = {"serious", "critical"}


def axe_source():
    package = importlib.util.find_spec("axe_playwright_python").submodule_search_locations[0]
    return (pathlib.Path(package) / "axe.min.js").read_text()


class Browser:
    """Chromium, and what a person does with a keyboard in it."""

    def __init__(self, profile, screenshots):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 2, "mobile": False,
        })
        self.driver.set_script_timeout(120)
        self.axe, self.screenshots, self.judged = axe_source(), screenshots, 0

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, selector):
        """Moves the focus with the tabulator until it is on this element, and sees that the focus shows."""
        for _ in range(MOST_TABS):
            if self.driver.execute_script("return document.activeElement.matches(arguments[0])", selector):
                outline = self.driver.execute_script(
                    "const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.outlineWidth"
                )
                assert outline != "none0px", f"the focus on {selector} does not show"
                return
            self.press(Keys.TAB)
        raise AssertionError(f"{selector} is not reached by keyboard on {self.driver.current_url}")

    def enter_on(self, selector):
        self.tab_to(selector)
        self.press(Keys.ENTER)

    def until(self, selector):
        WebDriverWait(self.driver, PATIENCE).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, selector))

    def seen(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def judge(self, name, languages=("en", "es")):
        """Judges the page as it is, in both languages, and takes its picture."""
        for language in languages:
            self.driver.get(f"{self.driver.current_url.split('?')[0].split('#')[0]}?lang={language}")
            assert self.driver.execute_script("return document.documentElement.lang") == language
            wide = self.driver.execute_script("return document.documentElement.scrollWidth")
            assert wide <= WIDTH, f"{name} is {wide} wide"
            self.driver.execute_script(self.axe)
            found = self.driver.execute_async_script(
                "const done = arguments[0]; axe.run(document).then(r => done(r.violations), e => done([{id: String(e), impact: 'critical', nodes: []}]))"
            )
            grave = [
                f"{one['id']}: {one['help']} {[node['html'] for node in one['nodes']][:3]}"
                for one in found if one["impact"] in GRAVE
            ]
            assert not grave, f"{name} ({language}): {grave}"
            self.judged += 1
            self.picture(f"{name}-{language}")
            self.quiet(f"{name} ({language})")

    def quiet(self, name):
        """No complaint in the console: of the policy, of a missing file, of a script."""
        loud = [line["message"] for line in self.driver.get_log("browser") if line["level"] in {"SEVERE", "WARNING"}]
        assert not loud, f"{name}: {loud}"

    def picture(self, name):
        if self.screenshots:
            page = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
                "captureBeyondViewport": True, "format": "png",
                "clip": {"x": 0, "y": 0, "width": WIDTH, "scale": 1, "height": min(
                    self.driver.execute_script("return document.documentElement.scrollHeight"), 6000)},
            })
            (self.screenshots / f"{name}.png").write_bytes(base64.b64decode(page["data"]))

    def login(self, desk, name):
        self.driver.get(f"{desk.url}/login")
        self.judge(name) if name else None
        self.press(desk.code, Keys.ENTER)
        self.until("nav")


def protection(browser, stage):
    """The inbox, the card, the acknowledgement, the first action."""
    stage.alert()
    browser.login(stage.desk("GT", "PGN", "lucia"), "login")
    deadline = time.monotonic() + PATIENCE
    while not browser.driver.find_elements(By.CSS_SELECTOR, ".row .button"):
        assert time.monotonic() < deadline, "the alert does not come"
        browser.driver.refresh()
    assert "responder en 59 min" in browser.seen(".row .due"), browser.seen(".row")
    browser.judge("inbox")
    browser.enter_on(".row .button")
    browser.until("#phone")
    browser.judge("alert")
    browser.tab_to("#phone")
    browser.press("+50224148888")
    browser.tab_to("input[name=protection]")
    browser.press(Keys.SPACE)
    browser.enter_on("button.main")
    browser.until(".said.done")
    browser.picture("alert-taken-es")
    browser.tab_to("input[name=action]")
    browser.press(Keys.SPACE)
    browser.enter_on("button.main")
    browser.until(".said.done")
    assert "Primera acción hecha" in browser.seen(".standing")
    browser.judge("alert-acted", languages=["es"])


def approvals(browser, stage):
    """The held row before and after, and one officer's word."""
    stage.held_row()
    browser.login(stage.desk("MX", "INM", "ana"), None)
    browser.enter_on("nav a[href='/approvals']")
    browser.until("h1")
    browser.judge("approvals")
    browser.enter_on(".row .button")
    browser.until("button[value=grant]")
    browser.judge("approval")
    browser.enter_on("button[value=grant]")
    browser.until(".said.done")
    assert "ana" in browser.seen("[aria-labelledby=spoken]")
    browser.picture("approval-spoken-es")


def reception(browser, stage):
    """The bus of tomorrow, its list, and a person who came."""
    operation = stage.list()
    browser.login(stage.desk("GT", "IGM", "raul"), None)
    browser.enter_on("nav a[href='/operations']")
    deadline = time.monotonic() + PATIENCE
    while not browser.driver.find_elements(By.CSS_SELECTOR, ".row .button"):
        assert time.monotonic() < deadline, "the operation does not come"
        browser.driver.refresh()
    browser.judge("operations")
    browser.enter_on(".row .button")
    browser.until("article")
    assert operation in browser.driver.current_url
    browser.judge("reception")
    browser.enter_on("button[value=arrived]")
    browser.until("article .due.calm")
    assert "Llegó" in browser.seen("article .due.calm")
    browser.judge("reception-pressed", languages=["es"])


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--screenshots", type=pathlib.Path, help="folder for a picture of every page")
    screenshots = arguments.parse_args().screenshots
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
    with Stage() as stage, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile, screenshots)
        try:
            for screen in [protection, approvals, reception]:
                screen(browser, stage)
                print(f"{screen.__name__}: by keyboard, in both languages", flush=True)
        finally:
            browser.driver.quit()
    print(f"{browser.judged} pages without a serious finding of axe-core")


if __name__ == "__main__":
    main()
