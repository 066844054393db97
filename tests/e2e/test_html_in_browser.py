"""The html report in headless Chromium: it loads nothing, runs nothing, shows its plots, and fits a phone.

Needs Debian's ``chromium`` and ``chromium-driver``; `.ci/run` installs them, and without them this file is skipped.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from d2b_gate.reports import html
from tests.reports.html_verdicts import EVERYTHING, HISTORY, MARKUP, PAGES, PLAIN
from tests.reports.verdicts import hostile_everywhere

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="chromium and chromedriver are not installed")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
RUNNING = "*\"'><img src=x onerror=\"document.title='owned'\"><script>document.title='owned';alert(1)</script>"
HOSTILE = {
    "markup": MARKUP,
    "running": RUNNING,
    "link": '*"><a href="javascript:alert(1)" autofocus onfocus=alert(1)>x</a>',
    "leaving": "*'><meta http-equiv=refresh content='0;url=//127.0.0.1:9'><base href=//127.0.0.1:9>",
    "loading": "*<link rel=stylesheet href=http://127.0.0.1:9/x><style>@import 'http://127.0.0.1:9/'</style>",
}
TITLE = "d2b-gate report: exit 1, the policy is violated"
FOREIGN = "script, img, iframe, link, base, a:not([href^='#']), [onerror], [onload], [onfocus], [style]"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.set_capability("unhandledPromptBehavior", "ignore")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page in a window of some width and colour scheme; returns its address."""

    def _open(text, scheme="light", width=1200):
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get("about:blank")
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(path.as_uri())
        return path.as_uri()

    return _open


def events(browser, method):
    """What the browser told of its network since it was last asked."""
    told = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [one["params"] for one in told if one["method"] == method]


def require_calm(browser, address):
    """Nothing on the console, no violation of the page's policy, nothing asked for but the file itself."""
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    assert [one["request"]["url"] for one in events(browser, "Network.requestWillBeSent")] == [address]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_plot_is_there_and_nothing_else_is_loaded(browser, opened, scheme):
    found, options = PAGES["several"]
    address = opened(html.render(found, options), scheme)
    sizes = browser.execute_script(
        "return [...document.querySelectorAll('svg.plot')].filter(one => !one.closest('details:not([open])'))"
        ".map(one => [one.getBoundingClientRect().width, one.getBoundingClientRect().height,"
        " one.querySelectorAll('path, use, text').length])"
    )
    assert len(sizes) >= 12
    assert all(width > 300 and height > 40 and marks > 3 for width, height, marks in sizes)
    require_calm(browser, address)


COLORS = """
const ground = getComputedStyle(document.body).backgroundColor;
return [...document.querySelectorAll('.plot text, .plot .s-ink, .plot .s-fail, .plot .s-limit')]
  .map(one => [ground, getComputedStyle(one)[one.tagName == 'text' ? 'fill' : 'stroke']]);
"""


def _brightness(color):
    red, green, blue = (int(part) for part in color[color.index("(") + 1 : -1].split(",")[:3])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_one_picture_serves_light_and_dark(browser, opened):
    seen = {}
    for scheme in ("light", "dark"):
        opened(html.render(*PAGES["several"]), scheme)
        seen[scheme] = browser.execute_script(COLORS)
        assert len(seen[scheme]) > 50
        assert all(abs(_brightness(ground) - _brightness(color)) > 60 for ground, color in seen[scheme])
    assert seen["light"][0][0] == "rgb(255, 255, 255)" != seen["dark"][0][0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_rows_are_inert(browser, opened, text, scheme):
    from selenium.common.exceptions import NoAlertPresentException

    found = hostile_everywhere(EVERYTHING, text)
    address = opened(html.render(found, replace(PLAIN, history=HISTORY, verbose=True)), scheme)
    with pytest.raises(NoAlertPresentException):
        _ = browser.switch_to.alert.text
    assert browser.title == TITLE
    assert browser.find_elements("css selector", FOREIGN) == []
    shown = browser.execute_script("return document.querySelector('h3').textContent")
    assert max(text.split("*"), key=len)[:20] in shown, "it is shown as text"
    require_calm(browser, address)


def test_the_page_forbids_itself_scripts_styles_and_loading(browser, opened):
    """Were there a hole in the escaping, this is what would stand in the way."""
    opened(html.render(*PAGES["fail"]))
    before = browser.execute_script("return getComputedStyle(document.body).color")
    browser.execute_script(
        "const script = document.createElement('script'); script.textContent = \"document.title = 'owned'\";"
        "const style = document.createElement('style'); style.textContent = 'body { color: rgb(1, 2, 3) }';"
        "const image = document.createElement('img'); image.src = 'http://127.0.0.1:9/x.png';"
        "document.body.append(script, style, image); document.body.setAttribute('style', 'color: rgb(1, 2, 3)');"
    )
    assert browser.title == TITLE
    assert browser.execute_script("return getComputedStyle(document.body).color") == before
    refused = " ".join(entry["message"] for entry in browser.get_log("browser"))
    assert all(word in refused for word in ("script", "style", "image")), refused
    assert [one["blockedReason"] for one in events(browser, "Network.loadingFailed")] == ["csp"]


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize(
    "name", ["several", "many", "hostile", "non-latin", "diluted", "row-schema", "policy-edited", "nothing"]
)
def test_no_page_is_wider_than_its_window(browser, opened, name, width):
    address = opened(html.render(*PAGES[name]), width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    require_calm(browser, address)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_explains_a_finding_is_seen(browser, opened, scheme):
    """Views, words that go and come, samples, tokens and the curve over strength stand open in the first finding."""
    address = opened(html.render(*PAGES["fail"]), scheme)
    told = browser.execute_script(
        "const one = document.querySelector('#f1');"
        "const line = tag => getComputedStyle(one.querySelector('.said ' + tag)).textDecorationLine;"
        "return [line('del'), line('ins'), one.querySelector('.views').checkVisibility(),"
        " one.querySelector('.sample').checkVisibility(), one.querySelector('.tokens').checkVisibility(),"
        " one.querySelector('[aria-labelledby=f1-response-title] .s-limit').getBoundingClientRect().width > 200]"
    )
    assert told == ["line-through", "underline", True, True, True, True]
    require_calm(browser, address)


def test_what_is_folded_opens_by_the_keyboard_and_in_print(browser, opened):
    from selenium.webdriver.common.keys import Keys

    opened(html.render(*PAGES["pass"]))
    body = "return document.querySelector('details.rule .body').checkVisibility({contentVisibilityAuto: true})"
    assert browser.execute_script("return document.querySelectorAll('details[open]').length") == 0
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    height = "return document.querySelector('details.rule .body').getBoundingClientRect().height"
    assert browser.execute_script(height) > 50
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert not browser.execute_script(body)
    for summary in browser.find_elements("tag name", "summary")[:2]:
        summary.send_keys(Keys.ENTER)
    assert browser.execute_script(body)
