"""A real browser for tests of what people look at: every page it opens must neither complain nor ask for anything."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def start_browser() -> Iterator[Browser]:
    """Yield a headless Chromium, the one of this system."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - tests without a browser need no playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, file: Path, *, width: int = 1280, height: int = 900, **options: Any) -> Iterator[Page]:
    """Yield a page on which a file is open; afterwards it must have logged nothing and asked for that file alone."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    page = context.new_page()
    asked: list[str] = []
    logged: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: logged.append(message.text))
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.goto(file.as_uri())
    if options.get("java_script_enabled", True):
        settle(page)
    yield page
    context.close()
    assert asked == [file.as_uri()], asked
    assert logged == [], logged


def settle(page: Page) -> None:
    """Wait until what is due has been drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def until(page: Page, truth: str) -> None:
    """Wait until an expression is true; a page's policy forbids Playwright's own way."""
    done = page.evaluate(
        f"""async () => {{
          for (let frame = 0; frame < 120 && !({truth}); frame++) await new Promise(requestAnimationFrame);
          return Boolean({truth});
        }}"""
    )
    assert done, truth


def drawn(canvas: Locator) -> float:
    """Return the share of a canvas' px that are not empty, once all is drawn."""
    settle(canvas.page)
    found = canvas.evaluate(
        """(canvas) => {
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
          copy.drawImage(canvas, 0, 0);
          const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data;
          return pixels.filter((value, index) => index % 4 === 3 && value > 0).length / (canvas.width * canvas.height);
        }"""
    )
    return float(found)


def centre(locator: Locator) -> tuple[float, float]:
    """Return the middle of an element, in the window."""
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
