"""The messages on the troubleshooting page."""

import re

from documentation.blocks import PAGES

PAGE = next(page for page in PAGES if page.name == "troubleshooting.md").read_text()


def messages() -> list[str]:
    """The messages in the first columns of the tables."""
    cells = re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


def matching(message: str) -> re.Pattern[str]:
    """The pattern of a message, in which `...` matches anything."""
    return re.compile(".*".join(re.escape(part) for part in message.split("...")), re.DOTALL)
