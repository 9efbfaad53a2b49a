"""Every error SpaCRD raises on purpose.

::

    SpacrdError                     message: what was wanted, what was found, where; hint: the remedy
    ├── ConfigError (ValueError)    an option, a configuration file or a component's settings
    ├── PluginError                 a component that cannot be found or loaded
    │   ├── UnknownName (LookupError)
    │   └── ContractError (AssertionError)   a component that does not do what its kind must
    ├── InputError (ValueError)     a file the user gave
    │   ├── MissingFile (FileNotFoundError)
    │   ├── UnrecognisedSection     no reader, or the wrong reader, for a path
    │   ├── CountsError             a count table that cannot be used
    │   ├── GeometryError           positions, pitch or um/px
    │   ├── ImageError              an H&E image that cannot be used
    │   └── LabelError              a label table that does not fit its section
    ├── StoreError                  the spot store
    │   ├── SectionExists (ValueError)
    │   ├── UnknownSection (LookupError)
    │   ├── StoreBusy (TimeoutError)
    │   └── CorruptStore
    ├── EncoderError                an image encoder
    │   ├── WeightsError            weights that are gated, absent or do not fit
    │   └── RecipeMismatch (ValueError)
    ├── TrainingError (ValueError)  a cohort that cannot be learned from
    └── DetectorError (ValueError)  a detector that cannot be loaded or does not fit the data
"""

from __future__ import annotations


class SpacrdError(Exception):
    """An error whose message says what was wanted, what was found and where; ``hint`` says what to do.

    The hint is the first of the error's notes, too: so a traceback shows it, as in a notebook.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        if hint:
            self.add_note(f"hint: {hint}")

    @property
    def context(self) -> list[str]:
        """The notes that were added on the error's way: where it happened, what else there is to say."""
        return list(getattr(self, "__notes__", ()))[bool(self.hint) :]


class ConfigError(SpacrdError, ValueError):
    """An option, a configuration file or a component's settings cannot be used."""


class PluginError(SpacrdError):
    """A component cannot be found or loaded."""


class UnknownName(PluginError, LookupError):
    """No component, or more than one, answers to a name."""


class ContractError(PluginError, AssertionError):
    """A component does not do what its kind must."""


class InputError(SpacrdError, ValueError):
    """A file the user gave cannot be used."""


class MissingFile(InputError, FileNotFoundError):
    """A file that was asked for, or that belongs to a section, is not there."""

    # What unpickles errors asks for __new__ by name, and only this one can make both.
    __new__ = FileNotFoundError.__new__  # type: ignore[assignment]


class UnrecognisedSection(InputError):
    """No reader, or not the chosen one, can read a path."""


class CountsError(InputError):
    """A count table cannot be used."""


class GeometryError(InputError):
    """Positions, pitch or um/px are missing or contradict each other."""


class ImageError(InputError):
    """An H&E image cannot be used."""


class LabelError(InputError):
    """A label table does not fit its section."""


class StoreError(SpacrdError):
    """The spot store cannot do what was asked."""


class SectionExists(StoreError, ValueError):
    """The store already holds another section of that name."""


class UnknownSection(StoreError, LookupError):
    """The store holds no section, slide or embedding of that name."""


class StoreBusy(StoreError, TimeoutError):
    """Another process holds the store's lock for too long."""


class CorruptStore(StoreError):
    """What the store holds is not what its manifest says."""


class EncoderError(SpacrdError):
    """An image encoder cannot do what was asked."""


class WeightsError(EncoderError):
    """An encoder's weights are gated, absent, or do not fit its architecture."""


class RecipeMismatch(EncoderError, ValueError):
    """Embeddings of different encoder recipes were about to be mixed."""


class TrainingError(SpacrdError, ValueError):
    """A cohort cannot be learned from."""


class DetectorError(SpacrdError, ValueError):
    """A detector cannot be loaded or does not fit the data."""
