"""What spot names add to a barcode: ``sample_BARCODE-1`` and ``BARCODE-1-0`` name the section of a joined object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# A barcode, a bin or a segmented cell of Visium HD, a cell of Xenium, a spot of legacy ST.
BARCODE = r"[ACGT]{14,}|s_\d{3}um_\d+_\d+|cellid_\d+|[a-p]{8}|\d+x\d+"
NAME = rf"^(?P<before>|.*?[^A-Za-z0-9])(?P<barcode>{BARCODE})(?P<after>|[^A-Za-z0-9].*)$"
SEPARATORS = "-_.:# "
MAX_SHARE = 0.5  # sections per spot; more are not sections
MAX_SECTIONS = 200

Part = tuple[str, "NDArray[np.object_]"]


def barcode_of_names(names: pd.Index[str]) -> NDArray[np.object_] | None:
    """Return the barcode in every name; None if a name has none."""
    parts = _split(names)
    return None if parts is None else np.array(parts["barcode"], dtype=object)


def added_to_barcodes(names: pd.Index[str]) -> NDArray[np.object_] | None:
    """Return what follows the barcode in every name; None if a name has no barcode, or text before it."""
    parts = _split(names)
    if parts is None or (parts["before"] != "").any():
        return None
    return np.array(parts["after"], dtype=object)


def name_parts(names: pd.Index[str]) -> Iterator[Part]:
    """Return the parts of spot names that may be those of sections, and what each part is."""
    parts = _split(names)
    columns = _generic_parts(names) if parts is None else parts.drop(columns="barcode")
    for name, values in columns.items():
        texts = values.to_numpy(dtype=object)
        distinct = set(texts)
        if not 1 < len(distinct) <= min(MAX_SECTIONS, MAX_SHARE * len(texts)):
            continue
        sections = _section_names(sorted(distinct), texts)
        if sections:
            source = "the starts of the spot names" if name == "before" else "the ends of the spot names"
            yield source, np.array([sections[text] for text in texts], dtype=object)


def _split(names: pd.Index[str]) -> pd.DataFrame | None:
    """Return the text before the barcode, the barcode and the text after it; None if a name has no barcode."""
    fields: Any = pc.extract_regex(pa.array(names.to_numpy(), pa.large_string()), NAME)
    if fields.null_count:
        return None
    return pd.DataFrame({name: fields.field(name).to_pandas() for name in ("before", "barcode", "after")})


def _generic_parts(names: pd.Index[str]) -> pd.DataFrame:
    """Return the first and the last word of every name; they are separated as ``anndata.concat`` separates them."""
    text = pd.Series(names, dtype=str)
    before, after = text.str.extract(rf"^([^{SEPARATORS}]+)[{SEPARATORS}]"), text.str.extract(r"[-_.:#]([^-_.:#]+)$")
    return pd.DataFrame({"before": before[0].fillna(""), "after": after[0].fillna("")})


def _section_names(distinct: list[str], texts: NDArray[np.object_]) -> dict[str, str]:
    """Return a short name for each distinct text: the words that differ between them; none if they name no sections.

    ``obs_names_make_unique`` adds a word to some names of the later sections only. Such texts name sections if those
    are blocks of rows, one after the other.
    """
    words = [re.split(f"[{SEPARATORS}]+", text.strip(SEPARATORS)) for text in distinct]
    if len({len(each) for each in words}) == 1:
        differ = [len(set(column)) > 1 for column in zip(*words, strict=True)]
        words = [[word for word, varies in zip(each, differ, strict=True) if varies] for each in words]
    elif 1 + int((texts[1:] != texts[:-1]).sum()) > len(distinct):
        return {}
    return {text: "_".join(each) or "unnamed" for text, each in zip(distinct, words, strict=True)}
