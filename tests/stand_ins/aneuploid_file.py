"""The section of :mod:`stand_ins.aneuploid` as a file of counts, for tests of whole commands."""

from collections.abc import Mapping
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from spacrd_core.genes.expression import TARGET_SUM
from stand_ins.aneuploid import PITCH_UM, SIDE, aneuploid_expression


def write_aneuploid(path: Path, copies: Mapping[str, float], *, genes: int | None = None) -> Path:
    """Write a section whose clone has further copies of arms, and return the path; ``genes``: its first ones only."""
    expression = aneuploid_expression(copies)
    scaled = expression.values.expm1()  # noqa: PD011 - a sparse matrix
    counts = sparse.diags_array(expression.totals / TARGET_SUM) @ scaled
    spot = np.arange(SIDE**2)
    section = ad.AnnData(
        sparse.csr_matrix(np.rint(counts.toarray()), dtype=np.float32),
        obs=pd.DataFrame(index=[f"spot{number}" for number in spot]),
        var=pd.DataFrame(index=list(expression.symbols)),
        obsm={"spatial": PITCH_UM * np.column_stack([spot % SIDE, spot // SIDE]).astype(float)},
    )
    section[:, :genes].write_h5ad(path)
    return path
