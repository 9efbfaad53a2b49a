"""Platforms that are not read are named, with the way to read their data."""

import gzip
from pathlib import Path

import pytest

from spacrd_core.ingestion.platforms import unread_platform

FILES = {
    "CosMx": ("Run1_exprMat_file.csv.gz", "Run1_fov_positions_file.csv", "Run1-polygons.csv"),
    "MERSCOPE": ("cell_by_gene.csv", "detected_transcripts.parquet", "202401_region_0.vzg"),
    "Stereo-seq": ("SS200000135TL_D1.tissue.gef", "SS200000135TL_D1.gem.gz"),
    "Curio Seeker": ("A_MatchedBeadLocation.csv", "A_variable_features_spatial_moransi.txt"),
    "Slide-seq": ("Puck_200115_08_BeadLocationsForR.csv", "Puck_200115_08_bead_locations.csv.gz"),
    "seqFISH": ("Experiment_CxG_section1.csv", "Experiment_CellCoordinates_section1.csv"),
    "GeoMx": ("DSP-1001660001234-A-A02.dcc", "Hs_R_NGS_WTA_v1.0.pkc"),
    "nCounter": ("20240101_sample_01.RCC",),
    "Open-ST": ("openst_stitched.h5ad", "fc_1_puck_collection.h5ad"),
}
TABLES = {
    "CosMx": "fov,cell_ID,ACTB\n1,1,3\n",
    "MERSCOPE": ",barcode_id,global_x,global_y\n0,1,2,3\n",
    "Stereo-seq": "#FileFormat=GEMv0.1\n#OffsetX=0\ngeneID\tx\ty\tMIDCount\nA\t1\t2\t3\n",
    "Slide-seq": "barcode,xcoord,ycoord\nA,1,2\n",
}
CONVERTED = {"CosMx", "MERSCOPE", "Stereo-seq", "seqFISH"}
AS_ANNDATA = {"Slide-seq", "GeoMx", "Open-ST", "Curio Seeker"}


@pytest.mark.parametrize(("name", "file"), [(name, file) for name, files in FILES.items() for file in files])
def test_a_platform_is_told_by_the_names_of_its_files(tmp_path: Path, name: str, file: str) -> None:
    folder = tmp_path / "data" / "region_0"
    folder.mkdir(parents=True)
    (folder / file).write_bytes(b"\0")
    for path in (folder / file, folder, folder.parent):
        error = unread_platform(path)
        assert error
        assert str(error).startswith(f"{path} is data of {name}")
        assert str(error).endswith("a platform that is not read")
        assert ("as SpatialData, and ingest that folder" in error.hint) == (name in CONVERTED)
        assert ("AnnData (.h5ad) with raw counts in X and positions" in error.hint) == (name in AS_ANNDATA)
        assert name == "nCounter" or "--um-per-px" in error.hint


@pytest.mark.parametrize("name", TABLES)
def test_a_platform_is_told_by_the_columns_of_its_tables(tmp_path: Path, name: str) -> None:
    file = tmp_path / "any.txt.gz"
    file.write_bytes(gzip.compress(TABLES[name].encode()))
    error = unread_platform(file)
    assert error
    assert name in str(error)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"x,y\n1,2\n", b"#only\n#comments\n"])
def test_other_files_are_of_no_platform(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "any.csv"
    file.write_bytes(content)
    (tmp_path / "._a_exprMat_file.csv").touch()
    assert unread_platform(file) is None
    assert unread_platform(tmp_path) is None
