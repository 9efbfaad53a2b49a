"""Load the sections that a training uses, with what they say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cohort.section_data import require_comparable
from spacrd_core.detector.read_task import ReadTask
from spacrd_core.errors import TrainingError
from spacrd_core.executors.run import results, run_in_order
from spacrd_core.executors.serial import Serial
from spacrd_core.genes.known import require_known_genes
from spacrd_core.prior.lists import load_gene_lists
from spacrd_core.prior.staining import embed_staining
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.executors.pool import Executor
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.plugins import Plugins
    from spacrd_core.prior.lists import GeneLists
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


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
    executor: Executor | None = None,
) -> list[SectionData]:
    """Return the data of sections for training, with what they say of themselves; each is read by a task.

    Raises
    ------
    TrainingError
        If an encoder is named and no section has an image, one section was ingested for two patients, or almost no gene
        name of a section is known.
    """
    _require_one_patient_per_section(entries)
    reads_staining = bool(encoder) and options.prior.use
    stain_key = ""
    if reads_staining:
        stain_key = embed_staining(store, entries, device=device, plugins=plugins, track=track, executor=executor)
    lists = load_gene_lists(options.prior.lists) if options.prior.use else None
    return read_training_sections(
        store,
        entries,
        options,
        encoder=encoder,
        genes=genes,
        stain_key=stain_key,
        lists=lists,
        track=track,
        executor=executor,
    )


def read_training_sections(  # noqa: PLR0913 - those of train
    store: SpotStore,
    entries: Sequence[SectionEntry],
    options: TrainOptions,
    *,
    encoder: str,
    genes: bool,
    stain_key: str = "",
    lists: GeneLists | None = None,
    track: Track = silent,
    executor: Executor | None = None,
) -> list[SectionData]:
    """Return the data of sections for training, without gene lists not what they say of themselves; nothing is written.

    Raises
    ------
    TrainingError
        As :func:`load_training_sections`.
    """
    _require_one_patient_per_section(entries)
    tasks = [
        ReadTask(
            store=store.path,
            entry=entry,
            encoder=encoder,
            stain_key=stain_key,
            genes=genes,
            cancer_fraction=options.cohort.cancer_fraction,
            lists=lists,
        )
        for entry in sorted(entries, key=lambda entry: entry.id)
    ]
    loaded = results(run_in_order(executor or Serial(), tasks, "reading sections", device="cpu", track=track))
    require_comparable(store, loaded, encoder)
    if not options.cohort.unknown_genes:
        require_known_genes(
            {data.id: (data.expression.symbols, data.expression.gene_ids) for data in loaded if data.expression}
        )
    if encoder and loaded and all(section.image is None for section in loaded):
        raise TrainingError(
            "none of these sections has an image", hint="use --encoder none, or ingest with --image FILE"
        )
    return loaded


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
