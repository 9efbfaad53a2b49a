"""Commands with damaged files: what a user sees at the terminal."""

import contextlib
import io
from pathlib import Path

from bundles.labelled import table
from bundles.visium import VisiumBundle

from fuzz.seed import COARSE, LITTLE, Act, Seed
from fuzz.store_seeds import store
from spacrd_cli.main import run
from spacrd_core.errors import SpacrdError

MAX_TEXT = 6_000  # letters: two paths, a sentence and its remedy, of a few sections
WRONG = ("this is a bug in SpaCRD", "Traceback", "--debug shows where it failed")


class Faulty(Exception):
    """What a command wrote is not what a user should see."""


def command(*arguments: str) -> Act:
    """Return how a command is run; ``*`` stands for the folder."""

    def read(folder: Path) -> None:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            code = run([argument.replace("*", str(folder)) for argument in arguments])
        written = output.getvalue()
        if code not in {0, 1} or len(written) > MAX_TEXT or any(words in written for words in WRONG):
            raise Faulty(f"exit {code}: ...{written[-600:]}")
        if code:
            raise SpacrdError(written)

    return read


def run_with_labels(folder: Path) -> None:
    """Write a Visium run with labels, its image and settings."""
    visium = VisiumBundle(tissue=LITTLE, pose=COARSE, rows=7, columns=16, images=("hires",))
    visium.write(folder / "run")
    barcodes = (folder / "run" / "spatial" / "tissue_positions.csv").read_text().split("\n")[1:]
    names = [line.partition(",")[0] for line in barcodes if ",1," in line[:21]]
    (folder / "labels.csv").write_text(
        table("Barcode,label", names, (["tumor", "normal"] * len(names))[: len(names)]), "utf-8"
    )
    (folder / "config.toml").write_text("no_image = false\n", "utf-8")
    (folder / "cohort.csv").write_text("path,name,patient,labels\nrun,A,P1,labels.csv\n", "utf-8")


SHOW, MANIFEST = ("store", "show", "*/store", "T1"), "store/spacrd.json"
COMMANDS = (
    Seed(
        "spacrd ingest",
        run_with_labels,
        command("ingest", "*/out", "--cohort", "*/cohort.csv", "--config", "*/config.toml"),
        writes=True,
    ),
    Seed("spacrd store show", store, command(*SHOW), writes=True),
    Seed("spacrd store show --json", store, command(*SHOW, "--json"), MANIFEST, writes=True),
    Seed("spacrd store verify", store, command("store", "verify", "*/store"), writes=True),
    Seed("spacrd store verify, manifest", store, command("store", "verify", "*/store"), MANIFEST, writes=True),
)
