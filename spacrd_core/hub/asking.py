"""Asking the Hugging Face Hub: with little patience, little noise, and every failure in one sentence with its remedy.

The library reads ``HF_TOKEN``, ``HF_HOME``, ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` when it is imported. No token is
asked for, shown or stored here.
"""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from huggingface_hub import constants
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from spacrd_core.errors import SpacrdError
from spacrd_core.hub.obstacles import TRANSPORT, Asked, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.hub.errand import Errand

# How long a first answer may take. The library alone would ask again and again, for half a minute or for minutes.
PATIENCE_S = 5.0


def patience() -> float:
    """Return how many seconds a first answer may take; ``HF_HUB_ETAG_TIMEOUT`` says otherwise."""
    told = constants.HF_HUB_ETAG_TIMEOUT
    return PATIENCE_S if told == constants.DEFAULT_ETAG_TIMEOUT else float(told)


@contextmanager
def explained(
    errand: Errand, repo: str, revision: str, refuse: type[SpacrdError], *, otherwise: str = ""
) -> Iterator[None]:
    """Turn what goes wrong with a repository into an error of our own with the remedy, or another way out."""
    otherwise = otherwise and f", or {otherwise}"
    try:
        yield
    except SpacrdError:
        raise
    except HFValidationError as error:
        raise nameless(repo, refuse) from error
    except UnicodeError:  # whose text shows a part of the token
        raise refuse(
            "the Hub cannot be asked: the Hugging Face token or an address has a character that is not ASCII",
            hint=f"`hf auth login` again, look at HF_TOKEN, HF_ENDPOINT and HTTPS_PROXY{otherwise}",
        ) from None
    except (OSError, ValueError, RuntimeError, TRANSPORT) as error:
        sentence, remedy = explain(error, Asked(repo, revision, patience(), errand))
        raise refuse(_discreet(sentence), hint=f"{_discreet(remedy)}{otherwise}") from error


def nameless(repo: str, refuse: type[SpacrdError]) -> SpacrdError:
    """Return the error of a name that cannot be a repository's."""
    return refuse(
        f"'{repo}' names no repository of the Hub", hint="a repository reads owner/name, as in MahmoodLab/UNI"
    )


@contextmanager
def quietly(*, bars: bool = True) -> Iterator[None]:
    """Keep the library's own retries and warnings off the user's screen, and its bars on request."""
    logger = logging.getLogger("huggingface_hub")
    level, hide = logger.level, not (bars or are_progress_bars_disabled())
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if hide:
                disable_progress_bars()
            yield
        finally:
            logger.setLevel(level)
            if hide:
                enable_progress_bars()


def _discreet(text: str) -> str:
    """Return text without the names, passwords and signatures that addresses may carry."""
    return re.sub(r"(https?://[^\s?]*)\?[^\s'\")]*", r"\1", re.sub(r"://[^/\s]*@", "://", text))
