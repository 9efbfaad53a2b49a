"""Run the steps of pages in order, with a stand-in for the Hub."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from stand_ins.hub import TOKEN, hub, python

from documentation.blocks import Step, steps
from documentation.driver import START
from documentation.mistakes import MISTAKES, PREPARATION
from documentation.places import weights_of_the_hub, write_places, write_plugin

DRIVER = Path(__file__).with_name("driver.py")
LABELS = "--labels ST-pat/lbl/{0}_labeled_coordinates.tsv"
BEFORE = (  # a colleague's detector, which the README uses, and the store STORE that it was trained on
    *(f"spacrd ingest STORE ST-cnts/{name}.tsv.gz --patient {name[0]} {LABELS.format(name)}" for name in ("A1", "D1")),
    "spacrd embed STORE --encoder stain",
    "spacrd train STORE -o theirs --encoder stain --head linear --seeds 1",
    "spacrd push theirs mylab/lung",
)
Result = dict[str, object]


class Done(NamedTuple):
    """The result of every step, by its place and text, and the folder with the files of every page."""

    results: Mapping[tuple[str, str], Result]
    world: Path


def do_all(world: Path, pages: Collection[str]) -> Done:
    """Run all steps of pages in one Python process: always README and tutorial, whose files the others need."""
    write_places(world / "start")
    write_plugin(world / "beside")
    orders = [step._asdict() for step in _all_steps() if step.page in {*START, *pages}]
    (world / "orders.json").write_text(json.dumps(orders))
    with hub() as server:
        server.repositories = weights_of_the_hub(world / "weights")
        server.owners = {"mylab": {TOKEN}}
        settings = {"HF_ENDPOINT": server.address, "HF_TOKEN": TOKEN, "MPLBACKEND": "agg"}
        ran = python(str(DRIVER), str(world), home=world / "home", **settings)
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in (world / "results.jsonl").read_text().splitlines()]
    return Done({(row["place"], row["text"]): row for row in rows}, world)


def _all_steps() -> list[Step]:
    prepared = Step("troubleshooting.md", 0, "python", PREPARATION)
    mistaken = _commands("troubleshooting.md", *dict.fromkeys(MISTAKES.values()))
    return [*_commands("README.md", *BEFORE), *steps(), prepared, *mistaken]


def _commands(page: str, *lines: str) -> list[Step]:
    """Return commands that are not on a page as its steps."""
    return [Step(page, 0, "command", line) for line in lines]
