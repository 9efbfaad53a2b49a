"""The plan of ``spacrd detect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.detection.detect import detector_encoding, reads_staining
from spacrd_core.detection.section_task import require_modality
from spacrd_core.dry_run.embed import plan_embed
from spacrd_core.dry_run.plan import Duration, Item, Plan, Space
from spacrd_core.dry_run.rates import CALL, CALL_SECTION, CALL_SPOT, CALLS, MEASURED, WRITE_SECTION, WRITE_SPOT
from spacrd_core.dry_run.result_files import Called
from spacrd_core.embedding.settings import Settings
from spacrd_core.errors import DetectorError
from spacrd_core.plugins import load_plugins
from spacrd_core.prior.staining import staining
from spacrd_core.results.ownership import require_replaceable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.embedding.missing import Encoding
    from spacrd_core.plugins import Plugins
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def plan_detect(
    store: SpotStore,
    detector: DetectorConfig,
    entries: Sequence[SectionEntry],
    *,
    output: Path | None = None,
    device: str = "auto",
    elsewhere: bool = False,
    plugins: Plugins | None = None,
) -> tuple[Plan, dict[str, DetectorError]]:
    """Return what :func:`spacrd_core.detection.detect.detect` would do, and the sections that it would refuse."""
    plugins = plugins or load_plugins()
    if output and entries:
        require_replaceable(output, [entry.id for entry in entries], detector=detector.key)
    refused: dict[str, DetectorError] = {}
    for entry in entries:
        try:
            require_modality(entry, detector)
        except DetectorError as error:
            refused[entry.id] = error
    encodings = encodings_read(store, detector, entries, plugins)
    embedded = list(_embedding_plans(store, encodings, entries, device=device, elsewhere=elsewhere, plugins=plugins))
    lacking = {section for encoding in encodings for section in encoding.missing(entries)}
    called = [entry for entry in entries if entry.id not in refused]
    items = [_item(entry, detector, embedded, lacking=entry.id in lacking) for entry in called]
    in_store = sum(item.bytes for item in items)
    space = [Space.below(store.path, in_store)]
    if output:
        space.append(Space.below(output, sum(Called.stored(store, entry).results_bytes for entry in called)))
    times = [each.time for each in embedded]
    times.append(calling_time([entry.spots for entry in called], files=output is not None))
    plan = Plan(
        step="detect",
        items=tuple(items),
        tasks=len(items),
        unit="sections",
        space=tuple(space),
        time=Duration.total(times),
        notes=tuple(note for each in embedded for note in each.notes),
    )
    return plan, refused


def encodings_read(
    store: SpotStore, detector: DetectorConfig, entries: Sequence[SectionEntry], plugins: Plugins
) -> list[Encoding]:
    """Return the encoders whose embeddings a detector reads, each once."""
    encodings = [detector_encoding(store, detector, entries, plugins)]
    encodings += [staining(plugins)] if reads_staining(detector) else []
    return list({each.recipe_key: each for each in encodings if each}.values())


def calling_time(spots: Sequence[int], *, files: bool) -> Duration:
    """Return the time of calling sections with these numbers of spots, and of writing their files."""
    section, spot = CALL_SECTION, CALL_SPOT
    if files:
        section, spot = section + WRITE_SECTION, spot + WRITE_SPOT
    return Duration(len(spots) * section + sum(spots) * spot, MEASURED)


def calls_bytes(spots: int) -> int:
    """Return the size of a section's spot table in the store."""
    return round(CALLS + CALL * spots)


def _embedding_plans(
    store: SpotStore,
    encodings: Sequence[Encoding],
    entries: Sequence[SectionEntry],
    *,
    device: str,
    elsewhere: bool,
    plugins: Plugins,
) -> Iterator[Plan]:
    for encoding in encodings:
        if missing := encoding.missing(entries):
            yield plan_embed(
                store,
                encoding.encoder,
                options=encoding.options,
                sections=missing,
                settings=Settings(device=device),
                plugins=plugins,
                elsewhere=elsewhere,
            )


def _item(entry: SectionEntry, detector: DetectorConfig, embedded: Sequence[Plan], *, lacking: bool) -> Item:
    notes = ["embedded first"] if lacking else []
    notes += ["called before by this detector, and called again"] if detector.key in entry.predictions else []
    size = sum(item.bytes for plan in embedded for item in plan.items if item.section == entry.id)
    return Item(entry.id, "to do", "; ".join(notes), size + calls_bytes(entry.spots))
