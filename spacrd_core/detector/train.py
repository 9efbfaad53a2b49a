"""Train a detector on the labelled sections of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cohort.section_data import SectionData, load_sections
from spacrd_core.detector.detector import Detector
from spacrd_core.devices import choose_device, one_thread
from spacrd_core.errors import ConfigError, TrainingError
from spacrd_core.genes.known import require_known_genes
from spacrd_core.model.calibrated_ensemble import TrainingEvent, TrainOptions, train_calibrated
from spacrd_core.model.prior_head import untrainable
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.prior.lists import load_gene_lists
from spacrd_core.prior.read import with_training_evidence
from spacrd_core.prior.staining import embed_staining
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def train(  # noqa: PLR0913 - the options of the command
    store: SpotStore,
    options: TrainOptions | str | None = None,
    *,
    encoder: str | None,
    genes: bool = True,
    sections: SectionNames = None,
    exclude: SectionNames = None,
    device: str = "auto",
    plugins: Plugins | None = None,
    on_event: Callable[[TrainingEvent], None] = lambda _: None,
    track: Track = silent,
) -> Detector:
    """Return a detector trained on the labelled sections of a store.

    >>> detector = train(store, TrainOptions(head="linear", seeds=1), encoder="stain", exclude=["S3"])
    >>> detector.save("detector")
    >>> sorted(detector.metrics["held_out"])
    ['S1', 'S2']

    ``options`` may be the name of a head. ``encoder`` is the encoder whose embeddings are used; None uses genes only,
    and ``genes=False`` uses the image only. ``on_event`` is called after every epoch and every held-out patient.

    Raises
    ------
    TrainingError
        If labels of both classes are missing, or some sections have neither genes nor an image.
    """
    plugins = plugins or load_plugins()
    encoder = resolve_encoder(encoder, plugins, genes=genes)
    options = resolve_train_options(options).canonical(plugins.heads)
    if not plugins.heads.load(options.head.name).trainable:
        raise untrainable(options.head.name)
    entries = [entry for entry in store.choose(sections, exclude) if entry.labelled]
    loaded = load_training_sections(
        store, entries, options, encoder=encoder, genes=genes, device=device, plugins=plugins, track=track
    )
    with one_thread():
        trained = train_calibrated(
            loaded, options, heads=plugins.heads, device=choose_device(device), on_event=on_event
        )
    return Detector.from_training(trained, options, loaded, encoder)


def resolve_train_options(options: TrainOptions | str | None) -> TrainOptions:
    """Return training options from options, from the name of a head, or the defaults for None."""
    return TrainOptions(head=options) if isinstance(options, str) else options or TrainOptions()


def resolve_encoder(encoder: str | None, plugins: Plugins, *, genes: bool) -> str:
    """Return the name under which an encoder's embeddings are stored; empty for None and ``none``.

    Raises
    ------
    ConfigError
        If neither image nor genes are used.
    """
    if encoder in {None, "", "none"}:
        if not genes:
            raise ConfigError("neither an encoder nor genes are used", hint="name an encoder, or use genes")
        return ""
    return plugins.encoders.canonical(str(encoder))


def load_training_sections(  # noqa: PLR0913 - those of train
    store: SpotStore,
    entries: Sequence[SectionEntry],
    options: TrainOptions,
    *,
    encoder: str,
    genes: bool,
    device: str,
    plugins: Plugins,
    track: Track,
) -> list[SectionData]:
    """Return the data of sections for training, with what they say of themselves.

    Raises
    ------
    TrainingError
        If an encoder is named and no section has an image, one section was ingested for two patients, or almost no gene
        name of a section is known.
    """
    _require_one_patient_per_section(entries)
    fraction = options.cohort.cancer_fraction
    reads_staining = bool(encoder) and options.prior.use
    stain_key = embed_staining(store, entries, device=device, plugins=plugins, track=track) if reads_staining else ""
    loaded = load_sections(
        store,
        entries,
        encoder=encoder,
        stain_key=stain_key,
        genes=genes,
        cancer_fraction=fraction,
        track=track,
    )
    if not options.cohort.unknown_genes:
        require_known_genes(
            {data.id: (data.expression.symbols, data.expression.gene_ids) for data in loaded if data.expression}
        )
    if encoder and loaded and all(section.image is None for section in loaded):
        raise TrainingError(
            "none of these sections has an image", hint="use --encoder none, or ingest with --image FILE"
        )
    if not options.prior.use:
        return loaded
    lists = load_gene_lists(options.prior.lists)
    return [with_training_evidence(section, lists) for section in track(loaded, "reading sections", len(loaded))]


def _require_one_patient_per_section(entries: Sequence[SectionEntry]) -> None:
    """Refuse equal counts under two patients: one copy would be held out while the other is in the training set."""
    first_entries: dict[str, SectionEntry] = {}
    for entry in entries:
        for source in (source for source in entry.sources if source.role == "counts"):
            first = first_entries.setdefault(source.sha256, entry)
            if first.patient != entry.patient:
                raise TrainingError(
                    f"sections '{first.id}' and '{entry.id}' have the same counts but belong to different patients, "
                    f"{first.patient} and {entry.patient}",
                    hint=f"--exclude {entry.id} in spacrd train, or choose the sections with --section",
                )
