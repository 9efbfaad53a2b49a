"""Configurations, gene lists and lists of sections."""

import shutil
from importlib.resources import files
from pathlib import Path

from fuzz.seed import Seed, text
from spacrd_cli.settings import TrainingSettings
from spacrd_core.config import read_config
from spacrd_core.ingestion.cohort_file import read_cohort
from spacrd_core.prior.lists import load_gene_lists

CARCINOMA_FILE = Path(str(files("spacrd_core.prior"))) / "carcinoma.toml"
COHORT = "path,name,patient,labels,um_per_px\na.tsv,A,P1,a.csv,0.5\nb.tsv,B,P2,,\n"
CONFIG = 'first_seed = 7\ncalibrate = true\n[encoder]\nname = "uni"\n[cohort]\ncancer_fraction = 0.5\n'

SETTINGS = (
    Seed("cohort", text("a.csv", COHORT), lambda folder: read_cohort(folder / "a.csv", {})),
    Seed("config", text("a.toml", CONFIG), lambda folder: read_config(TrainingSettings, folder / "a.toml")),
    Seed(
        "gene lists",
        lambda folder: shutil.copy(CARCINOMA_FILE, folder / "a.toml"),
        lambda folder: load_gene_lists(str(folder / "a.toml")),
    ),
)
