"""Read and write the groups of a store as zarr v3: sections, cells, spot tables (all as AnnData) and embeddings."""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import anndata as ad
import zarr

from spacrd_core.cards import Recipe
from spacrd_core.opening.declared import require_plausible
from spacrd_core.slide.compression import CHECKED_ZSTD
from spacrd_core.store.new_group import new_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd

CHECKED = {"compressors": CHECKED_ZSTD}


def write_section(adata: ad.AnnData, folder: Path) -> None:
    """Write a section's AnnData as a consolidated zarr v3 group."""
    adata.strings_to_categoricals()
    with _without_zarr_warnings(), new_group(folder, consolidated=True) as group:
        ad.io.write_elem(group, "/", adata, dataset_kwargs=CHECKED)


def read_section(folder: Path) -> ad.AnnData:
    """Return a section as AnnData."""
    with _known_errors():
        return ad.read_zarr(_opened(folder))


def read_spots(folder: Path) -> pd.DataFrame:
    """Return the spots of a section without its counts."""
    with _known_errors():
        spots: pd.DataFrame = ad.io.read_elem(_opened(folder)["obs"])
    return spots


def write_spots(spots: pd.DataFrame, folder: Path) -> None:
    """Replace the spots of a section that has been written; its counts stay as they are."""
    table = ad.AnnData(obs=spots)
    table.strings_to_categoricals()
    with _without_zarr_warnings():
        group = zarr.open_group(folder, mode="r+", use_consolidated=False)
        ad.io.write_elem(group, "obs", table.obs, dataset_kwargs=CHECKED)
        zarr.consolidate_metadata(group.store)


def write_cells(spot_of_cell: pd.Series[Any], folder: Path) -> None:
    """Write the spot id of each cell, by cell id."""
    with _without_zarr_warnings(), new_group(folder) as group:
        ad.io.write_elem(group, "cells", spot_of_cell.to_frame("spot_id"), dataset_kwargs=CHECKED)


def read_cells(folder: Path) -> pd.Series[Any]:
    """Return the spot id of each cell, by cell id."""
    with _known_errors():
        spot_of_cell: pd.Series[Any] = ad.io.read_elem(_opened(folder)["cells"])["spot_id"]
    return spot_of_cell


def write_spot_table(table: pd.DataFrame, folder: Path, detector: Mapping[str, Any]) -> None:
    """Write a spot table with its ``attrs`` and the configuration of its detector as JSON-able values."""
    with _without_zarr_warnings(), new_group(folder) as group:
        ad.io.write_elem(group, "spots", table, dataset_kwargs=CHECKED)
        group.attrs["facts"] = dict(detector)
        group.attrs["table"] = dict(table.attrs)


def read_spot_table(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a spot table and the configuration of its detector."""
    group = _opened(folder)
    with _known_errors():
        table: pd.DataFrame = ad.io.read_elem(group["spots"])
    table.attrs.update(group.attrs.get("table", {}))
    return table, dict(group.attrs["facts"])


@dataclass(frozen=True)
class Embedding:
    """The embeddings of a section: spots x dim ``values``; ``coverage`` is the fraction of each patch in the image."""

    values: np.ndarray[Any, np.dtype[np.float32]]
    coverage: np.ndarray[Any, np.dtype[np.float32]]
    encoder: str
    options: Mapping[str, Any]
    recipe: Recipe


def read_embedding(folder: Path) -> Embedding:
    """Return the embeddings of a section."""
    group = _opened(folder)
    recipe = Recipe.from_dict(dict(group.attrs["recipe"]))
    options = dict(group.attrs.get("options", {}))
    return Embedding(group["values"][:], group["coverage"][:], str(group.attrs["encoder"]), options, recipe)


def _opened(folder: Path) -> Any:
    """Return a group that does not declare far more than it stores; zarr v2, whose codecs may run code, is refused."""
    group = zarr.open_group(folder, mode="r", zarr_format=3)
    require_plausible(group)
    return group


def embedding_facts(encoder: str, options: Mapping[str, Any], recipe: Recipe) -> dict[str, object]:
    """Return the attributes of an embedding group; ``options`` must not contain paths of this machine."""
    return {"encoder": encoder, "options": dict(options), "recipe": json.loads(json.dumps(asdict(recipe)))}


@contextmanager
def _known_errors() -> Iterator[None]:
    """Raise the private errors of AnnData, which inherit from no other, as ValueError."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "anndata":
            raise
        raise ValueError(str(error)) from error


@contextmanager
def _without_zarr_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        # zarr writes text as its own "string" type, which is not yet part of the zarr v3 core specification.
        warnings.filterwarnings("ignore", message=".*(does not have a Zarr V3 specification|Consolidated metadata).*")
        warnings.filterwarnings("ignore", message=".*autosharding will be the default.*")
        yield
