"""The errors that SpaCRD raises on purpose.

::

    SpacrdError                     message: what was expected, what was found, where; hint: the remedy
    ├── ConfigError (ValueError)    an option, a configuration file or a component's settings
    ├── PluginError                 a component that cannot be found or loaded
    │   ├── UnknownName (LookupError)
    │   └── ContractError (AssertionError)   a component that breaks the contract of its kind
    ├── InputError (ValueError)     a file from the user
    │   ├── MissingFile (FileNotFoundError)
    │   ├── UnrecognisedSection     no reader, or the wrong reader, for a path
    │   ├── CountsError             a count table that cannot be used
    │   ├── GeometryError           positions, pitch or um/px
    │   ├── ImageError              an H&E image that cannot be used
    │   └── LabelError              a label table that does not fit its section
    ├── OutputError (OSError)       a file or folder that cannot be written
    ├── StoreError                  the spot store
    │   ├── SectionExists (ValueError)
    │   ├── UnknownSection (LookupError)
    │   ├── StoreBusy (TimeoutError)
    │   └── CorruptStore
    ├── EncoderError                an image encoder
    │   ├── WeightsError            weights that are gated, missing or do not fit
    │   └── RecipeMismatch (ValueError)
    ├── TrainingError (ValueError)  a cohort that cannot be used for training
    ├── DetectorError (ValueError)  a detector that cannot be loaded or does not fit the data
    └── WorkerError                 a worker that cannot start or was killed, or an unexpected error in it
"""

from __future__ import annotations

from spacrd_core.quoting import bounded


class SpacrdError(Exception):
    """An error whose message has what was expected, what was found and where; ``hint`` is the remedy.

    The hint is also the first note of the error, so that a traceback in a notebook shows it.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(bounded(message))
        self.hint = hint = bounded(hint)
        if hint:
            self.add_note(f"hint: {hint}")

    @property
    def context(self) -> list[str]:
        """The notes that callers added to the error, such as where it happened."""
        return list(getattr(self, "__notes__", ()))[bool(self.hint) :]


class ConfigError(SpacrdError, ValueError):
    """An option, a configuration file or a component's settings cannot be used."""


class PluginError(SpacrdError):
    """A component cannot be found or loaded."""


class UnknownName(PluginError, LookupError):
    """No component, or more than one, has this name."""


class ContractError(PluginError, AssertionError):
    """A component breaks the contract of its kind."""


class InputError(SpacrdError, ValueError):
    """A file from the user cannot be used."""


class MissingFile(InputError, FileNotFoundError):
    """A file that the user named, or that belongs to a section, does not exist."""

    # Unpickling calls __new__ of the class; only this one can create both bases.
    __new__ = FileNotFoundError.__new__  # type: ignore[assignment]


class UnrecognisedSection(InputError):
    """No reader, or not the selected one, can read a path."""


class CountsError(InputError):
    """A count table cannot be used."""


class GeometryError(InputError):
    """Positions, pitch or um/px are missing or contradict each other."""


class ImageError(InputError):
    """An H&E image cannot be used."""


class LabelError(InputError):
    """A label table does not fit its section."""


class OutputError(SpacrdError, OSError):
    """A file or folder cannot be written."""

    __new__ = OSError.__new__  # type: ignore[assignment]  # as of MissingFile


class StoreError(SpacrdError):
    """The spot store cannot be used for this operation."""


class SectionExists(StoreError, ValueError):
    """The store already has another section of that name."""


class UnknownSection(StoreError, LookupError):
    """The store has no section, slide or embedding of that name."""


class StoreBusy(StoreError, TimeoutError):
    """Another process held the lock of the store for too long."""


class CorruptStore(StoreError):
    """The contents of the store do not match its manifest."""


class EncoderError(SpacrdError):
    """An image encoder cannot be used for this operation."""


class WeightsError(EncoderError):
    """The weights of an encoder are gated, missing, or do not fit its architecture."""


class RecipeMismatch(EncoderError, ValueError):
    """Embeddings with different encoder recipes would be mixed."""


class TrainingError(SpacrdError, ValueError):
    """A cohort cannot be used for training."""


class DetectorError(SpacrdError, ValueError):
    """A detector cannot be loaded or does not fit the data."""


class WorkerError(SpacrdError):
    """A worker cannot start, was killed, or met an unexpected error."""
