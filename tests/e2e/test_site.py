"""Every page in a real browser: wide and narrow, light and dark, from any sub-path."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

TOC = yaml.safe_load((Path(__file__).parents[2] / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]]
PAGES = [TOC["root"], *CHAPTERS, "search", "genindex"]
WITH_MATH = ["book/index", "book/convolution-1d", "book/turning-it-round"]
WITH_TABS = WITH_MATH


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def address(site):
    """The site under a sub-path, as on a campus server."""
    handler = functools.partial(Quiet, directory=site.build)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{site.html.name}"
        server.shutdown()


@pytest.fixture
def visit(browser, address):
    """Open a page and collect every complaint of the browser; none may be left at the end."""
    contexts, complaints = [], []

    def open_page(name, width=1280, theme="light", base=address):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda r: complaints.append(f"failed: {r.url}"))
        page.on("response", lambda r: r.status >= 400 and complaints.append(r.url))
        page.on("request", lambda r: check_host(r.url, base))
        page.goto(f"{base}/{name}.html", wait_until="load")
        page.wait_for_load_state("networkidle")
        if page.locator(".math").count():
            page.wait_for_selector("mjx-container", state="attached")
        return page

    def check_host(url, base):
        own, asked = urlsplit(base), urlsplit(url)
        if asked.scheme not in ("data", "blob") and asked[:2] != own[:2]:
            complaints.append(f"another host: {url}")

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def width_of_page(page):
    return page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_accessible(visit, name, width, theme):
    page = visit(name, width, theme)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert width_of_page(page) <= width
    # What hides behind a click is checked as well.
    page.evaluate("for (const box of document.querySelectorAll('details')) box.open = true")
    page.evaluate("dispatchEvent(new Event('resize'))")
    # Without preloading: axe would fetch each style sheet's imports from a wrong address.
    results = Axe().run(page, options={"preload": False})
    found = [
        (violation["id"], [node["html"][:160] for node in violation["nodes"]][:4])
        for violation in results.response["violations"]
    ]
    assert not found


@pytest.mark.parametrize("name", WITH_MATH)
def test_formulas_are_typeset(visit, name):
    page = visit(name)
    assert page.locator(".math").count() > 0
    left = "[...document.querySelectorAll('.math')].filter(m => !m.querySelector('mjx-container'))"
    assert page.evaluate(f"{left}.map(m => m.textContent)") == []
    assert page.locator("mjx-merror").count() == 0
    # The glyphs come from our own fonts, not from a fallback.
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px MJXTEX-I', 'x')")


@pytest.mark.parametrize("name", PAGES)
def test_page_works_from_a_folder(visit, site, name):
    page = visit(name, base=site.html.as_uri())
    assert page.locator("#main-content h1:visible, .bd-main h1:visible").count()
    # A browser refuses modules from files; a widget must work all the same.
    undefined = "[...document.querySelectorAll(':not(:defined)')].map(e => e.localName)"
    assert not [name for name in page.evaluate(undefined) if name.startswith("ubh-")]


def selected(page):
    """The name of the tab that is open, of every framework tab-set."""
    labels = page.locator(".ubh-frameworks > input:checked + label")
    return [text.strip() for text in labels.all_text_contents()]


def shown(page):
    """How many panels of each framework can be seen."""
    return {
        framework: page.locator(f".sd-tab-content > .tag_{framework}:visible").count()
        for framework in ("torch", "tensorflow")
    }


@pytest.mark.parametrize("name", WITH_TABS)
def test_one_click_switches_every_tab_set_and_other_pages(visit, name):
    page = visit(name)
    sets = page.locator(".ubh-frameworks").count()
    assert sets >= 2
    assert selected(page) == ["PyTorch"] * sets
    assert shown(page)["tensorflow"] == 0
    page.locator(".ubh-frameworks > label", has_text="TensorFlow").nth(1).click()
    assert selected(page) == ["TensorFlow"] * sets
    assert shown(page)["torch"] == 0
    assert shown(page)["tensorflow"] >= sets
    other = next(p for p in WITH_TABS if p != name)
    page.goto(page.url.replace(name, other))
    assert set(selected(page)) == {"TensorFlow"}


def test_tabs_switch_by_keyboard_and_show_the_focus(visit):
    page = visit("book/index")
    sets = page.locator(".ubh-frameworks").count()
    page.locator(".ubh-frameworks > input").first.focus()
    page.keyboard.press("ArrowRight")
    assert selected(page) == ["TensorFlow"] * sets
    label = page.locator(".ubh-frameworks > input:focus-visible + label")
    assert label.text_content().strip() == "TensorFlow"
    assert label.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("ArrowLeft")
    assert selected(page) == ["PyTorch"] * sets


def test_what_scrolls_can_be_reached_by_keyboard(visit):
    page = visit("book/turning-it-round", width=320)
    boxes = page.locator(".ubh-scroll, article pre, mjx-container[display]")
    states = boxes.evaluate_all(
        "all => all.filter(e => e.checkVisibility())"
        ".map(e => [e.scrollWidth > e.clientWidth + 1, e.tabIndex === 0])"
    )
    assert any(scrolls for scrolls, _ in states)
    assert all(reachable for scrolls, reachable in states if scrolls)


@pytest.mark.parametrize("framework", ["PyTorch", "TensorFlow"])
@pytest.mark.parametrize("name", WITH_TABS)
def test_no_figure_formula_or_output_is_cut_on_a_phone(visit, name, framework):
    page = visit(name, width=390)
    page.locator(".ubh-frameworks > label", has_text=framework).first.click()
    page.evaluate("for (const box of document.querySelectorAll('details')) box.open = true")
    boxes = page.locator(".ubh-scroll, .cell_output pre, mjx-container[display], details p")
    cut = boxes.evaluate_all(
        "all => all.filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)"
        ".map(e => e.textContent.slice(0, 80))"
    )
    assert cut == []


def test_search_finds_a_chapter(visit):
    page = visit("search")
    page.locator("form.bd-search input:visible, input[name=q]:visible").first.fill("stride")
    page.keyboard.press("Enter")
    # The results come one by one.
    page.wait_for_selector("ul.search a[href*='turning-it-round']")


def test_print_shows_both_frameworks(visit):
    page = visit("book/index")
    page.emulate_media(media="print")
    counts = shown(page)
    assert counts["torch"] == counts["tensorflow"] > 0


def test_theme_button_switches_the_figures(visit):
    page = visit("book/index")
    colour = "getComputedStyle(document.querySelector('.ubh-figure rect')).stroke"
    light = page.evaluate(colour)
    for _ in range(3):  # the button goes round automatic, light and dark
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
        page.locator("button.theme-switch-button:visible").first.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(colour) != light


def test_a_figure_in_steps_shows_one_at_a_time_and_plays_to_its_end(visit):
    page = visit("book/convolution-1d")
    figure = page.locator(".ubh-steps").first
    count, steps = figure.locator("output"), figure.locator(".ubh-step")
    visible = lambda: [i for i, step in enumerate(steps.all()) if step.is_visible()]
    assert (count.inner_text(), visible()) == ("Step 1 of 3", [0])
    figure.get_by_label("Previous step").press("Enter")
    assert visible() == [0]
    figure.get_by_label("Next step").press("Enter")
    assert (count.inner_text(), visible()) == ("Step 2 of 3", [1])
    figure.get_by_label("Play").click()
    page.wait_for_function(
        "output => output.textContent === 'Step 3 of 3'", arg=count.element_handle()
    )
    figure.get_by_label("Play").wait_for()  # it has stopped by itself
    figure.get_by_label("Play").click()
    assert visible() == [0]
    figure.get_by_label("Pause").click()
    page.wait_for_timeout(2000)
    assert visible() == [0]
    page.emulate_media(media="print")
    assert visible() == [0, 1, 2]
    assert not figure.locator(".ubh-player").is_visible()


def test_whoever_wants_no_motion_steps_by_hand(visit):
    page = visit("book/convolution-1d")
    page.emulate_media(reduced_motion="reduce")
    figure = page.locator(".ubh-steps").first
    figure.get_by_label("Play").wait_for(state="hidden")
    figure.get_by_label("Next step").click()
    assert figure.locator("output").inner_text() == "Step 2 of 3"
