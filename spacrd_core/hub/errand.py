"""What one wants of the Hugging Face Hub, in the words that its obstacles are told with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Errand:
    """Fetching or pushing something: what it is called, and the words that agree with it.

    Parameters
    ----------
    what
        Stands before the repository's name.
    is_, was, it
        Agree with ``what``.
    right
        What the token must be allowed to do.
    done
        Of something that was not to be had: it could not be ``done``.
    fetches
        Whether a copy in the cache would have done.
    """

    what: str
    is_: str
    was: str
    it: str
    right: str
    done: str
    fetches: bool = True


WEIGHTS = Errand("the weights of", "are", "were", "they", "read them", "downloaded")
DETECTOR = Errand("the detector", "is", "was", "it", "read it", "downloaded")
PUSH = Errand("the detector", "is", "was", "it", "write there", "pushed", fetches=False)
