"""The third step: labelled sections into a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cohort.section_data import SectionData, load_sections
from spacrd_core.detector.detector import Detector
from spacrd_core.devices import choose_device, one_thread
from spacrd_core.errors import ConfigError, TrainingError
from spacrd_core.model.calibrated_ensemble import Moment, TrainOptions
from spacrd_core.model.calibrated_ensemble import train as train_on
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spacrd_core.store.folder import Names
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def train(  # noqa: PLR0913 - the choices of the command
    store: SpotStore,
    options: TrainOptions | str | None = None,
    *,
    encoder: str | None,
    genes: bool = True,
    sections: Names = None,
    exclude: Names = None,
    device: str = "auto",
    plugins: Plugins | None = None,
    watch: Callable[[Moment], None] = lambda _: None,
    track: Track = silent,
) -> Detector:
    """Return a detector trained on a store's labelled sections.

    >>> detector = train(store, TrainOptions(head="linear", seeds=1), encoder="stain", exclude=["S3"])
    >>> detector.save("detector")
    >>> sorted(detector.metrics["held_out"])
    ['S1', 'S2']

    ``options`` may be a head's name alone. ``encoder`` names whose embeddings are read: None reads genes alone,
    ``genes=False`` the image alone. ``watch`` hears of every epoch and every held-out patient.

    Raises
    ------
    TrainingError
        If labels of both classes are missing, or some sections have nothing to read.
    """
    found = plugins or load_plugins()
    name = encoder_read(encoder, found, genes=genes)
    asked = training_of(options).canonical(found.heads)
    entries = [entry for entry in store.choose(sections, exclude) if entry.labelled]
    loaded = load_to_learn(store, entries, asked, encoder=name, genes=genes, track=track)
    with one_thread():
        trained = train_on(loaded, asked, heads=found.heads, device=choose_device(device), watch=watch)
    return Detector.of(trained, asked, loaded, name)


def training_of(options: TrainOptions | str | None) -> TrainOptions:
    """Return how to train: as usual, or by a head of that name alone."""
    return TrainOptions(head=options) if isinstance(options, str) else options or TrainOptions()


def encoder_read(encoder: str | None, plugins: Plugins, *, genes: bool) -> str:
    """Return the name an encoder's embeddings are kept under; empty for None and ``none``, where no image is read.

    Raises
    ------
    ConfigError
        If neither image nor genes are read.
    """
    if encoder in {None, "", "none"}:
        if not genes:
            raise ConfigError("neither image nor genes are to be read", hint="name an encoder, or read genes")
        return ""
    return plugins.encoders.canonical(str(encoder))


def load_to_learn(
    store: SpotStore, entries: Sequence[SectionEntry], options: TrainOptions, *, encoder: str, genes: bool, track: Track
) -> list[SectionData]:
    """Return sections as a training reads them.

    Raises
    ------
    TrainingError
        If an encoder is named and none of them has an image, or two patients have the same section.
    """
    _require_one_patient_a_section(entries)
    fraction = options.cohort.cancer_fraction
    loaded = load_sections(store, entries, encoder=encoder, genes=genes, cancer_fraction=fraction, track=track)
    if encoder and loaded and all(section.image is None for section in loaded):
        raise TrainingError("none of these sections has an image", hint="--encoder none, or ingest with --image FILE")
    return loaded


def _require_one_patient_a_section(entries: Sequence[SectionEntry]) -> None:
    """Refuse the same counts under two patients: one would be held out while its copy is learned from."""
    first: dict[str, SectionEntry] = {}
    for entry in entries:
        for source in (source for source in entry.sources if source.role == "counts"):
            other = first.setdefault(source.sha256, entry)
            if other.patient != entry.patient:
                raise TrainingError(
                    f"sections '{other.id}' and '{entry.id}' have the same counts, but stand for the patients "
                    f"{other.patient} and {entry.patient}",
                    hint=f"--exclude {entry.id} in spacrd train, or name the sections with --section",
                )
