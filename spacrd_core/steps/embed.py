"""The second step: the H&E round every spot into numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spacrd_core.embedding.engine import Report
from spacrd_core.embedding.engine import embed as embed_sections
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.embedding.executors import Executor
    from spacrd_core.embedding.parts import Part
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.store.folder import Names
    from spacrd_core.store.store import SpotStore


def embed(  # noqa: PLR0913 - the choices of the command
    store: SpotStore,
    encoder: str,
    *,
    options: Mapping[str, Any] | None = None,
    sections: Names = None,
    settings: Settings | None = None,
    executor: Executor | None = None,
    part: Part | None = None,
    plugins: Plugins | None = None,
    track: Track = silent,
) -> Report:
    """Embed every spot of the sections (default: all) that have an image, by an encoder chosen by name.

    >>> report = embed(store, "stain", settings=Settings(device="cpu"))
    >>> report.patches
    902

    What is done already is skipped. ``options`` are the encoder's own, as ``{"weights": "pytorch_model.bin"}``;
    ``settings`` say where it runs, and on how much at a time.

    Raises
    ------
    WeightsError
        If the encoder's weights are not to be had.
    SpacrdError, ExceptionGroup
        If sections could not be embedded; the others are.
    """
    encoders = (plugins or load_plugins()).encoders
    return embed_sections(
        store,
        encoders.canonical(encoder),
        encoders.create(encoder, options),
        options=options,
        sections=sections,
        settings=settings,
        executor=executor,
        part=part,
        track=track,
    )
