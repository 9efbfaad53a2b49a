"""Gene lists of one kind of tumour, as a TOML file; the lists of carcinoma are part of the package."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from spacrd_core.config import mistakes
from spacrd_core.errors import ConfigError, MissingFile
from spacrd_core.files import Record
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.opening.toml_text import read_toml
from spacrd_core.quoting import listed

CARCINOMA = "carcinoma"
EXAMPLE = "see spacrd_core/prior/carcinoma.toml for an example"


class GeneLists(Record):
    """Gene lists of one kind of tumour.

    Attributes
    ----------
    name, tissue, species
        A short name, the tumours that the lists are for in words, and their species.
    positive, negative
        Gene symbols by the name of the list: expressed more, and less, by the tumour than by the tissue around it.
    epithelial, upkeep
        The names of two positive lists: the tissue that the tumour grows from, and genes that every cell expresses. A
        section with too little of the first in proportion to the second has no such tissue.
    references
        Where the lists come from.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    tissue: str
    species: str = "human"
    epithelial: str
    upkeep: str
    references: tuple[str, ...] = Field(min_length=1)
    positive: dict[str, tuple[str, ...]] = Field(min_length=1)
    negative: dict[str, tuple[str, ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _require_known_lists(self) -> Self:
        unknown = sorted({self.epithelial, self.upkeep} - self.positive.keys())
        if unknown:
            raise ValueError(f"no positive list is named {listed(unknown, separator=' or ')}")
        empty = sorted(name for name, genes in (self.positive | self.negative).items() if not genes)
        if empty:
            raise ValueError(f"lists without genes: {listed(empty)}")
        both = sorted({*sum(self.positive.values(), ())} & {*sum(self.negative.values(), ())})
        if both:
            raise ValueError(f"genes on positive and negative lists: {listed(both)}")
        return self


@cache
def carcinoma() -> GeneLists:
    """Return the gene lists of carcinoma."""
    return GeneLists.model_validate(tomllib.loads((files(__package__) / "carcinoma.toml").read_text(encoding="utf-8")))


def load_gene_lists(source: str) -> GeneLists:
    """Return the gene lists of a name (``carcinoma``) or of a TOML file.

    Raises
    ------
    MissingFile, ConfigError
        If there is no such file, or it does not hold gene lists; all mistakes are reported at once.
    """
    if source == CARCINOMA:
        return carcinoma()
    file = Path(source)
    refuse_special(file, ConfigError)
    if not file.is_file():
        raise MissingFile(f"no gene lists at {file}", hint=f"prior.lists takes {CARCINOMA} or a TOML file")
    content = read_toml(file, ConfigError, hint=EXAMPLE)
    try:
        return GeneLists.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{file}: {'; '.join(mistakes(error))}", hint=EXAMPLE) from error
