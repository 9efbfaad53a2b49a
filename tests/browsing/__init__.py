"""A real browser for tests of HTML pages; an opened page must log no error and request no other resource."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FloatRect, Locator, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def start_browser() -> Iterator[Browser]:
    """Yield the headless Chromium of this system."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - tests without a browser need no playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, file: Path, *, fragment: str = "", width: int = 1280, height: int = 900, **options: Any
) -> Iterator[Page]:
    """Yield a page that shows a file; check afterwards that it logged nothing and requested only that file."""
    address = file.as_uri() + (f"#{fragment}" if fragment else "")
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    page = context.new_page()
    requested: list[str] = []
    logged: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: logged.append(message.text))
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.goto(address)
    if options.get("java_script_enabled", True):
        settle(page)
    yield page
    context.close()
    assert [url.partition("#")[0] for url in requested] == [file.as_uri()], requested
    assert logged == [], logged


def settle(page: Page) -> None:
    """Wait until pending frames have been drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def until(page: Page, condition: str) -> None:
    """Wait until a JavaScript condition holds; the page's policy forbids Playwright's wait_for_function."""
    done = page.evaluate(
        f"""async () => {{
          for (let frame = 0; frame < 120 && !({condition}); frame++) await new Promise(requestAnimationFrame);
          return Boolean({condition});
        }}"""
    )
    assert done, condition


def drawn(canvas: Locator) -> float:
    """Return the fraction of drawn px of a canvas after pending frames."""
    settle(canvas.page)
    fraction = canvas.evaluate(
        """(canvas) => {
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
          copy.drawImage(canvas, 0, 0);
          const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data;
          return pixels.filter((value, index) => index % 4 === 3 && value > 0).length / (canvas.width * canvas.height);
        }"""
    )
    return float(fraction)


def bounding_box(locator: Locator) -> FloatRect:
    """Return the rectangle of a visible element in the window."""
    box = locator.bounding_box()
    assert box is not None
    return box


def centre(locator: Locator) -> tuple[float, float]:
    """Return the centre of an element in the window."""
    box = bounding_box(locator)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
