"""The plan of ``spacrd ingest``: every section is read and checked as in the real work, and not written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

from spacrd_core.dry_run.plan import Duration, Item, Plan, Space
from spacrd_core.dry_run.rates import COUNT, GENE, MEASURED, SLIDE_AS_FILE, SLIDE_MEGAPIXEL, SLIDE_PIXEL, THUMBNAIL
from spacrd_core.errors import SectionExists
from spacrd_core.executors.local import Local
from spacrd_core.executors.serial import Serial
from spacrd_core.images.raster import open_raster
from spacrd_core.ingestion.checks import check_section
from spacrd_core.ingestion.ingest import read_candidate
from spacrd_core.ingestion.ingest_all import each_outcome, no_track
from spacrd_core.ingestion.parts.ingest import read_parts
from spacrd_core.ingestion.put import foresee
from spacrd_core.ingestion.reading import SectionReader
from spacrd_core.ingestion.section_task import IngestTask
from spacrd_core.plugins import load_plugins
from spacrd_core.progress import Track, silent
from spacrd_core.staging import staging
from spacrd_core.store.store import SpotStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spacrd_core.executors.pool import Executor
    from spacrd_core.executors.task import Worker
    from spacrd_core.ingestion.checks import Checks
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.ingestion.put import Candidate, Status
    from spacrd_core.plugins import Plugins
    from spacrd_core.section.section import Section, SlideFile


@dataclass(frozen=True)
class Foreseen:
    """What a section will be in the store; the bytes of its counts and slide, and the seconds until it is there."""

    section: str
    status: Status
    spots: int
    genes: int
    image: bool
    counts_bytes: int
    slide_bytes: int
    seconds: float

    @property
    def bytes(self) -> int:
        """The bytes that are written."""
        return 0 if self.status == "unchanged" else self.counts_bytes + self.slide_bytes

    @property
    def facts(self) -> str:
        """Spots, genes and image in words."""
        return f"{self.spots} spots, {self.genes} genes, {'with an image' if self.image else 'no image'}"

    @property
    def item(self) -> Item:
        """The section in a plan."""
        if self.status == "unchanged":
            return Item(self.section, "done", self.status)
        return Item(self.section, "to do", f"{self.status}: {self.facts}", self.bytes)


@dataclass(frozen=True, kw_only=True)
class ForeseeTask(IngestTask):
    """Read and check a section, or all parts of a capture area, and write nothing."""

    def run(self, worker: Worker) -> tuple[list[Foreseen], list[Exception]]:  # type: ignore[override]  # noqa: ARG002
        """Return what the sections will be, and the errors of parts that will be refused."""
        store = SpotStore(self.folder.find(self.store))
        foreseen: list[Foreseen] = []
        errors: list[Exception] = []
        with staging(Path(gettempdir())) as drafts:  # for alignments that are proposed
            started = time.perf_counter()
            for candidate, check in self._candidates(store, drafts):
                try:
                    status = foresee(store, candidate, replace=self.replace)
                except SectionExists as error:
                    errors.append(error)
                    continue
                section = candidate.section if status == "unchanged" else check(candidate.section)[0]
                alone = not foreseen
                foreseen.append(_foreseen(candidate, section, status, time.perf_counter() - started, slide=alone))
                started = time.perf_counter()
        return foreseen, errors

    def _candidates(
        self, store: SpotStore, drafts: Path
    ) -> Iterator[tuple[Candidate, Callable[[Section], tuple[Section, Checks]]]]:
        """Yield every section that was read, and its check."""
        reader, options = SectionReader(self.plugins.get(), store, drafts=drafts), self.found_options
        if not options.region:
            yield read_candidate(store, options, reader, replace=self.replace), check_section
            return
        for candidate, area in read_parts(store, options, reader, replace=self.replace):
            yield candidate, area.check


def plan_ingest(
    store: SpotStore,
    sections: Sequence[IngestOptions],
    plugins: Plugins,
    *,
    replace: bool = False,
    executor: Executor | None = None,
    track: Track = silent,
) -> tuple[Plan, list[Foreseen], list[Exception]]:
    """Return what :func:`spacrd_core.ingestion.ingest_all.ingest_all` would do, its sections, and its errors."""
    local_plugins, local_track = Local(load_plugins, plugins), Local(no_track, track)
    tasks = [
        ForeseeTask(store=store.path, options=options, replace=replace, plugins=local_plugins, track=local_track)
        for options in sections
    ]
    foreseen: list[Foreseen] = []
    errors: list[Exception] = []
    for _, done, refused in each_outcome(sections, tasks, executor or Serial(), "reading", track):
        foreseen += done
        errors += refused
    items = tuple(each.item for each in foreseen)
    left = [each for each in foreseen if each.status != "unchanged"]
    basis = f"sections were read here, and {MEASURED}"
    plan = Plan(
        step="ingest",
        items=items,
        tasks=len(left),
        unit="sections",
        space=(Space.below(store.path, sum(item.bytes for item in items)),),
        time=Duration.total(Duration(each.seconds, basis) for each in left),
    )
    return plan, foreseen, errors


def _foreseen(candidate: Candidate, section: Section, status: Status, read_s: float, *, slide: bool) -> Foreseen:
    counts, image = section.counts, section.slide
    size = COUNT * counts.X.nnz + GENE * counts.n_vars + (THUMBNAIL if image else 0)
    pixels, slide_bytes = _slide(image, candidate.options.mpp) if image and slide else (0, 0.0)
    seconds = read_s + SLIDE_MEGAPIXEL * pixels / 1e6
    return Foreseen(
        section=candidate.name,
        status=status,
        spots=counts.n_obs,
        genes=counts.n_vars,
        image=image is not None,
        counts_bytes=round(size),
        slide_bytes=round(slide_bytes),
        seconds=seconds,
    )


def _slide(slide: SlideFile, mpp: float) -> tuple[int, float]:
    """Return the px of an image, and the bytes of its pyramid."""
    with open_raster(slide, whiten=False) as raster:
        pixels, jpeg = raster.width * raster.height, raster.jpeg
    if jpeg and slide.um_per_px >= mpp and slide.path.is_file():
        return pixels, SLIDE_AS_FILE * slide.path.stat().st_size
    finest = pixels * min(1.0, (slide.um_per_px / mpp) ** 2)
    return pixels, finest * SLIDE_PIXEL["JPEG" if jpeg else "lossless"]
