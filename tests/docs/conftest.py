"""All that the pages say is to be done, done once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import documentation
import pytest
from documentation.blocks import Step, steps
from documentation.mistakes import MISTAKES, PREPARATION
from documentation.places import weights_of_the_hub, write_places, write_plugin
from stand_ins.hub import TOKEN, hub, python

if TYPE_CHECKING:
    from collections.abc import Mapping

DRIVER = Path(documentation.__file__).with_name("driver.py")
COPIES = {"genes": "lung", "fused": "lung"}  # stores that pages name for cohorts of their own
LABELS = "--labels ST-pat/lbl/{0}_labeled_coordinates.tsv"
BEFORE = (  # a colleague's detector, which the README begins with, and the store STORE that it learned from
    *(f"spacrd ingest STORE ST-cnts/{name}.tsv.gz --patient {name[0]} {LABELS.format(name)}" for name in ("A1", "D1")),
    "spacrd embed STORE --encoder stain",
    "spacrd train STORE -o theirs --encoder stain --seeds 1",
    "spacrd push theirs mylab/breast",
)


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], dict[str, object]]:
    """What became of every step, by its place and its text."""
    world = tmp_path_factory.mktemp("world")
    write_places(world / "README")
    write_plugin(world / "beside")
    before = [Step("README.md", 0, "command", line) for line in BEFORE]
    orders, results = world / "orders.json", world / "results.jsonl"
    mistaken = [Step("troubleshooting.md", 0, "command", line) for line in dict.fromkeys(MISTAKES.values())]
    prepared = Step("troubleshooting.md", 0, "python", PREPARATION)
    todo = [step._asdict() for step in (*before, *steps(), prepared, *mistaken)]
    orders.write_text(json.dumps({"world": str(world), "copies": COPIES, "steps": todo}))
    with hub() as server:
        server.repositories = weights_of_the_hub(world / "weights")
        server.owners = {"mylab": {TOKEN}}
        settings = {"HF_ENDPOINT": server.address, "HF_TOKEN": TOKEN, "MPLBACKEND": "agg"}
        ran = python(str(DRIVER), str(orders), str(results), home=world / "home", **settings)
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    return {(row["place"], row["text"]): row for row in rows}
