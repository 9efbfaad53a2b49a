"""The copy-number profile as segments, for IGV and other genome viewers.

The format: https://igv.org/doc/desktop/FileFormats/DataTracks/ (SEG).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult


def write_seg(result: SectionResult, path: Path) -> None:
    """Write one row per run of genes: section, chromosome, first and last base (GRCh38), genes, log2 ratio."""
    table = pd.DataFrame(
        [
            (result.section_id, run.chromosome, run.start, run.end, run.genes, round(run.log2_ratio, 4))
            for run in result.copy_number.segments
        ],
        columns=["ID", "chrom", "loc.start", "loc.end", "num.mark", "seg.mean"],
    )
    table.to_csv(path, sep="\t", index=False, lineterminator="\n")
