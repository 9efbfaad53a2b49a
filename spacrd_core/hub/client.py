"""How the Hub's client library is called: with a short timeout, and without its own retries and warnings on screen."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

if TYPE_CHECKING:
    from collections.abc import Iterator

# The client has changed its HTTP library more than once. The base class of that library's errors is always here.
TRANSPORT_ERROR: type[Exception] = HfHubHTTPError.__bases__[0]

# Without a limit of our own, the client retries for half a minute or longer before it reports a failure.
DEFAULT_TIMEOUT_S = 5.0


def timeout() -> float:
    """Return the seconds to wait for a first response: ``HF_HUB_ETAG_TIMEOUT`` if it is set, else our own default."""
    configured = constants.HF_HUB_ETAG_TIMEOUT
    return DEFAULT_TIMEOUT_S if configured == constants.DEFAULT_ETAG_TIMEOUT else float(configured)


@contextmanager
def suppress_hub_output(*, bars: bool = True) -> Iterator[None]:
    """Hide the client's retry messages and warnings, and its progress bars if ``bars`` is false."""
    logger = logging.getLogger("huggingface_hub")
    level, hide_bars = logger.level, not (bars or are_progress_bars_disabled())
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if hide_bars:
                disable_progress_bars()
            yield
        finally:
            logger.setLevel(level)
            if hide_bars:
                enable_progress_bars()
