"""The section as AnnData, for scanpy, squidpy and whoever reads h5ad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd

from spacrd_core.results.result import CLASSES, SETS, TOPS

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import Provenance, SectionResult

OURS = "spacrd_"  # columns of an earlier run go, whichever it wrote

COLOURS = ["#{:02x}{:02x}{:02x}".format(*kind.colour) for kind in CLASSES.values()]  # as scanpy reads them


def write_h5ad(result: SectionResult, path: Path, provenance: Provenance) -> None:
    """Write the section as it came, with the calls as ``obs['spacrd_*']``."""
    with_calls(result, provenance).write_h5ad(path, compression="gzip", convert_strings_to_categoricals=False)


def with_calls(result: SectionResult, provenance: Provenance) -> ad.AnnData:
    """Return the section as it came, with the calls as ``obs['spacrd_*']``.

    ``uns['spacrd']`` holds their origin beside what makes the file a section again: platform, um/px, spot and pitch.
    Spots without a call are kept and have missing values.
    """
    section, calls = result.adata, _calls(result)
    earlier = [name for name in section.obs if str(name).startswith(OURS)]
    origin = _section(result) | provenance.facts() | _called(result)
    return ad.AnnData(
        X=section.X,
        obs=pd.concat([section.obs.drop(columns=earlier), calls], axis=1),
        var=section.var,
        uns=dict(section.uns) | {"spacrd": _storable(origin), "spacrd_label_colors": np.array(COLOURS, dtype=object)},
        obsm=dict(section.obsm),
        varm=dict(section.varm),
        layers=dict(section.layers),
        obsp=dict(section.obsp),
        varp=dict(section.varp),
    )


def _section(result: SectionResult) -> dict[str, object]:
    return {
        "section": result.section_id,
        "patient": result.patient,
        "platform": result.platform,
        "um_per_px": result.um_per_px,
        "spot_um": result.spot_um,
        "spot_shape": result.spot_shape,
        "pitch_um": result.pitch_um,
    }


def _called(result: SectionResult) -> dict[str, object]:
    """How this section was called, which the provenance tells of all sections together."""
    level = {} if result.alpha is None else {"set_alpha": result.alpha}
    rule = {"threshold_rule": result.threshold_rule} if result.threshold_rule else {}
    return {"threshold": result.threshold, "notes": list(result.notes)} | rule | level


def _calls(result: SectionResult) -> pd.DataFrame:
    spots = result.spots.reindex(result.adata.obs_names)
    names = spots["label"].map({label: kind.name for label, kind in CLASSES.items()})
    return pd.DataFrame(
        {
            "spacrd_prob": spots["probability"].astype(np.float32),
            "spacrd_label": pd.Categorical(names, categories=[kind.name for kind in CLASSES.values()]),
            "spacrd_spread": spots["spread"].astype(np.float32),
            "spacrd_ood": spots["ood"].astype(np.float32),
            "spacrd_set": pd.Categorical(spots["set"], categories=SETS),
            "spacrd_top_modality": pd.Categorical(spots["top_modality"], categories=TOPS),
            "spacrd_top_contribution": spots["top_contribution"].astype(np.float32),
        },
        index=spots.index,
    )


def _storable(value: object) -> object:
    """Return facts as HDF5 holds them: nested groups, arrays of text, no slashes in names."""
    if isinstance(value, Mapping):
        return {str(key).replace("/", "_"): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return np.array([str(item) for item in value], dtype=object)
    return value
