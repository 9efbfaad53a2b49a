"""Read a section with its labels, with the options that were given before if it is replaced."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.errors import MissingFile, PluginError, UnrecognisedSection
from spacrd_core.ingestion.given import is_same_path, is_same_tissue, keep_given, not_kept, record_given
from spacrd_core.ingestion.recognise import recognise
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.section.section import ImageInputs

if TYPE_CHECKING:
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.plugins import Plugins
    from spacrd_core.section.section import Section
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

NOT_READ = ("name", "patient", "region")  # options that do not change what is read

DRAFTS = "alignments"  # the kind of group in a store that keeps proposed alignments
NOT_ALIGNED = "--align auto was not used: no image without an alignment was given or found"


class SectionReader:
    """Reads sections; the same options twice in a row are read once.

    Alignments that are proposed are left in the folder ``drafts``, by default in the store.
    """

    def __init__(self, plugins: Plugins, store: SpotStore, *, drafts: Path | None = None) -> None:
        self._plugins, self._store, self._drafts = plugins, store, drafts
        self._last: tuple[str, Section] | None = None

    def read(self, options: IngestOptions) -> Section:
        """Return the section at a path, with its labels."""
        given = {key: value for key, value in record_given(options).items() if key not in NOT_READ}
        key = json.dumps(given, sort_keys=True)
        if self._last is None or self._last[0] != key:
            self._last = None  # two sections at a time may not fit into memory
            self._last = key, _read(options, self._plugins, drafts=self._drafts_of(options.section_id))
        return self._last[1]

    def read_again(
        self, options: IngestOptions, before: SectionEntry
    ) -> tuple[IngestOptions, Section, tuple[str, ...]]:
        """Return the options of a section that is replaced with those kept from before, the section, and notes."""
        if not is_same_path(options, before):
            section = self.read(options)
            if not before.given or not is_same_tissue(section, before):
                return options, section, not_kept(before)
        kept = keep_given(options, before)
        return kept.options, self.read(kept.options), kept.notes

    def _drafts_of(self, section: str) -> Path:
        return self._drafts / section if self._drafts else self._store.inside(DRAFTS, section)


def _read(options: IngestOptions, plugins: Plugins, *, drafts: Path) -> Section:
    path = options.path
    for _, value in options:
        if isinstance(value, Path):
            refuse_special(value)
    if not path.exists():
        raise MissingFile(f"there is nothing at {path}", hint=f"check the path; its absolute form is {path.absolute()}")
    name = options.reader.name or recognise(path, plugins)
    reader = plugins.readers.create(name, options.reader.options)
    with plugins.readers.blamed(name):
        recognition = reader.recognises(path)
    if not recognition:
        raise UnrecognisedSection(
            f"the reader '{name}' cannot read {path}: {recognition.reason}", hint="choose another with --reader"
        )
    inputs = ImageInputs(
        image=options.image,
        alignment=options.alignment,
        align=options.align,
        image_scale=options.image_scale,
        um_per_px=options.um_per_px,
        with_image=not options.no_image,
        drafts=drafts,
    )
    with plugins.readers.blamed(name):
        section: Section = reader.read(path, inputs)
        if not section.names_its_image:
            raise PluginError(
                f"the reader '{name}' gave a slide without naming its file as a source with the role 'image'",
                hint=f"spacrd plugins check {name} --example {path}",
            )
    if options.align and not any(drafts in source.path.parents for source in section.sources):
        section = replace(section, notes=(*section.notes, NOT_ALIGNED))
    if options.labels:
        vocabulary = Vocabulary(options.positive, options.ignore)
        section = attach_labels(section, read_labels(options.labels, options.label_section), vocabulary)
    return section
