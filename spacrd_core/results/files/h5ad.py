"""The section as AnnData, for scanpy, squidpy and other tools that read h5ad."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import anndata as ad
import h5py
import numpy as np
import pandas as pd

from spacrd_core.outputs import has_signature
from spacrd_core.results.result import LABEL_NAMES, LABEL_STYLES, MODALITY_NAMES, SET_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.copy_number.result import CopyNumber
    from spacrd_core.results.result import Provenance, SectionResult

GZIP_LEVEL = 1  # counts are hardly smaller at higher levels, which take twice the time
COLUMN_PREFIX = "spacrd_"  # columns of an earlier run are dropped


def write_h5ad(result: SectionResult, path: Path, provenance: Provenance) -> None:
    """Write the section with the calls as ``obs['spacrd_*']``.

    The file is made in memory, which is little beside the section: HDF5 ends the process if the disk is full.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        compression = {"compression": "gzip", "compression_opts": GZIP_LEVEL}
        ad.io.write_elem(file, "/", annotated_section(result, provenance), dataset_kwargs=compression)
    path.write_bytes(buffer.getbuffer())


def is_own_h5ad(path: Path) -> bool:
    """Return whether a file is empty, or an h5ad with calls."""
    if not has_signature(path):
        return False
    try:
        with h5py.File(path, "r") as file:
            return "uns/spacrd" in file
    except (OSError, RuntimeError):
        return not path.stat().st_size


def annotated_section(result: SectionResult, provenance: Provenance) -> ad.AnnData:
    """Return the section with the calls as ``obs['spacrd_*']``.

    ``uns['spacrd']`` holds the provenance, and platform, um/px, spot size and pitch, so that the file can be ingested
    again. Spots without a call are kept with missing values.
    """
    section, calls = result.adata, _calls(result)
    earlier = [name for name in section.obs if str(name).startswith(COLUMN_PREFIX)]
    facts = _geometry(result) | provenance.to_dict() | _decision(result)
    colours = np.array([style.hex_colour for style in LABEL_STYLES.values()], dtype=object)  # the key scanpy reads
    return ad.AnnData(
        X=section.X,
        obs=pd.concat([section.obs.drop(columns=earlier), calls], axis=1),
        var=section.var,
        uns=dict(section.uns) | {"spacrd": _to_hdf5(facts), "spacrd_label_colors": colours},
        obsm=dict(section.obsm),
        varm=dict(section.varm),
        layers=dict(section.layers),
        obsp=dict(section.obsp),
        varp=dict(section.varp),
    )


def _geometry(result: SectionResult) -> dict[str, object]:
    return {
        "section": result.section_id,
        "patient": result.patient,
        "platform": result.platform,
        "um_per_px": result.um_per_px,
        "spot_um": result.spot_um,
        "spot_shape": result.spot_shape,
        "pitch_um": result.pitch_um,
    }


def _decision(result: SectionResult) -> dict[str, object]:
    """Return this section's threshold, rule and set level; they replace the summary over sections in the provenance."""
    level = {} if result.alpha is None else {"set_alpha": result.alpha}
    rule = {"threshold_rule": result.threshold_rule} if result.threshold_rule else {}
    findings = result.findings
    facts: dict[str, object] = {"agreement": dict(findings.agreement)} if findings.agreement else {}
    facts |= {"epithelium": findings.epithelium} if findings.epithelium else {}
    facts["copy_number"] = _copy_number(result.copy_number)
    facts["bands_um"] = np.array(result.bands.limits_um)
    return {"threshold": result.threshold, "notes": list(result.notes)} | facts | rule | level


def _copy_number(result: CopyNumber) -> dict[str, object]:
    """Return Z (NaN if unknown), the verdict, and arrays of the changed arms and of the profile's segments."""
    changed, runs = result.changed_arms, result.segments
    return {
        "z": result.z,
        "verdict": result.verdict,
        "arms": [arm.arm for arm in changed],
        "arms_log2_ratio": np.array([arm.log2_ratio for arm in changed]),
        "segments": {
            "chromosome": [run.chromosome for run in runs],
            "start": np.array([run.start for run in runs], dtype=np.int64),
            "end": np.array([run.end for run in runs], dtype=np.int64),
            "log2_ratio": np.array([run.log2_ratio for run in runs]),
        },
    }


def _calls(result: SectionResult) -> pd.DataFrame:
    margins = {"border_distance_um": result.margins.distance_um, "band": result.margins.band}
    spots = result.spots.assign(**margins).reindex(result.adata.obs_names)
    names = spots["label"].map(LABEL_NAMES)
    return pd.DataFrame(
        {
            "spacrd_prob": spots["probability"].astype(np.float32),
            "spacrd_label": pd.Categorical(names, categories=list(LABEL_NAMES.values())),
            "spacrd_spread": spots["spread"].astype(np.float32),
            "spacrd_ood": spots["ood"].astype(np.float32),
            "spacrd_agreement": spots["agreement"].astype(np.float32),
            "spacrd_set": pd.Categorical(spots["set"], categories=SET_NAMES),
            "spacrd_top_modality": pd.Categorical(spots["top_modality"], categories=MODALITY_NAMES),
            "spacrd_top_contribution": spots["top_contribution"].astype(np.float32),
            "spacrd_copy_number": spots["copy_number"].astype(np.float32),
            "spacrd_border_distance_um": spots["border_distance_um"].astype(np.float32),
            "spacrd_band": spots["band"],
        },
        index=spots.index,
    )


def _to_hdf5(value: object) -> object:
    """Return a value that HDF5 can store: nested mappings, arrays of text, no slashes in names."""
    if isinstance(value, Mapping):
        return {str(key).replace("/", "_"): _to_hdf5(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return np.array([str(item) for item in value], dtype=object)
    return value
