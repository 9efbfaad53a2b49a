"""Every command that writes, as it is run in a copy of the workshop."""

from dataclasses import dataclass

from faults.workshop import LINEAR, THIRD

FORMATS = ("h5ad", "csv", "genes", "geojson", "png", "spatialdata")  # others need more genes than the workshop has
TWO_WORKERS = "--executor processes --workers 2"
AGAIN = "input/S1.tsv --name S1 --patient P0 --labels input/S1.csv --positive tumor --replace"


@dataclass(frozen=True)
class Case:
    """A command, others that are run before it, and what its rerun may say if its work was done before the kill."""

    name: str
    command: str
    before: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def has_workers(self) -> bool:
        """Whether its work is done by other processes."""
        return TWO_WORKERS in self.command


def over(name: str, command: str) -> Case:
    """Return the case of a command that finds the files of an earlier run of its own."""
    return Case(name, command, before=(command,))


CASES = (
    Case("ingest", "ingest new --cohort two.csv -q"),
    Case("ingest one more", f"ingest store {THIRD}"),
    Case("ingest --replace, the same", f"ingest store {AGAIN} -q"),
    Case("ingest --replace, another slide", f"ingest store {AGAIN} --mpp 2 -q"),
    Case("ingest --replace, no image", f"ingest store {AGAIN} --no-image -q"),
    Case("embed", "embed plain --encoder stain -q"),
    Case("embed --again", "embed store --encoder stain --again -q"),
    Case("train", f"train store -o new {LINEAR}", refusal="contains a detector already"),
    Case("train --replace", f"train store -o det --replace {LINEAR} --set first_seed=7"),
    Case("detect", "detect store other -q"),
    Case("detect again", "detect store det --threshold 0.7 -q"),
    Case("detect -o", "detect store det --section S1 -o new -q"),
    Case("detect -o over others", "detect store other --section S1 -o out --threshold 0.9 -q"),
    *(over(f"export --format {name}", f"export store det --format {name} -o export -q") for name in FORMATS),
    over("plot", "plot store det -o plots -q"),
    Case("report", "report store other -o report.html -q", before=("detect store other -q",)),
    Case("call", "call input/S3.tsv --name S3 -o called -q"),
    Case("call --keep", "call input/S3.tsv --name S3 -o called --keep kept -q"),
    over("evaluate -o", f"evaluate store -o evaluation.json --by section --executor serial {LINEAR}"),
    Case("store label", "store label store S2 --labels input/S1.csv --positive tumor -q"),
    Case("store rm", "store rm store S1 -q", refusal="has no section"),
    Case("store gc", "store gc store --all", before=("store rm store S1 -q",)),
)

WITH_WORKERS = (
    Case("ingest, two workers", f"ingest new --cohort two.csv {TWO_WORKERS} -q"),
    Case("embed, two workers", f"embed plain --encoder stain {TWO_WORKERS} -q"),
    Case("train, two workers", f"train store -o det --replace {TWO_WORKERS} {LINEAR}"),
    Case("detect -o, two workers", f"detect store det -o new {TWO_WORKERS} -q"),
    over("export, two workers", f"export store det --format h5ad -o export {TWO_WORKERS} -q"),
)
