"""The browser that every end-to-end test shares, and a page to try one figure on."""

import functools
import http.server
import os
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from autograde.doctor import BROWSERS, find_browser

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium. Without one the tests skip here, but fail where CI is set."""
    path = find_browser()
    if path is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"no Chromium on this machine (looked for {', '.join(BROWSERS)})")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


STATIC = Path(__file__).parents[2] / "book" / "_static"
PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Figure</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="upsampling.css">
<style>:root {{ color-scheme: {theme} }} body {{ font-family: sans-serif }}</style>
<script>window.before = new Set(Object.getOwnPropertyNames(window))</script>
<script type="module" src="{name}.mjs"></script>
<main><h1>Figure</h1>{body}</main></html>"""


class Files(http.server.SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012
        ".mjs": "text/javascript",
        ".css": "text/css",
        ".html": "text/html",
    }

    def log_message(self, *args):
        """Keep the test's output to the test."""


@pytest.fixture(scope="session")
def static_files():
    """The address of book/_static, on this machine only."""
    handler = functools.partial(Files, directory=STATIC)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def open_figure(browser, static_files):
    """Open a page that holds `body`, with the figure `ubh-NAME` defined in NAME.mjs.

    At the end, nothing may have been complained of.
    """
    contexts, complaints = [], []

    def open_(name, body, theme="light", width=1280, drawn=True, **context):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **context))
        page = contexts[-1].new_page()
        page.on(
            "console",
            lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.route(
            "**/figure.html",
            lambda route: route.fulfill(
                body=PAGE.format(name=name, body=body, theme=theme), content_type="text/html"
            ),
        )
        page.goto(f"{static_files}figure.html")
        if drawn:
            page.locator(f"ubh-{name} .figure").wait_for()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
