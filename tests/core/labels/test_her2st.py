"""Label files of real sections, compared with known counts."""

from pathlib import Path

import pandas as pd
import pytest

from spacrd_core.errors import LabelError
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs, Section

pytestmark = pytest.mark.her2st

# section: spots, invasive, in situ, connective, adipose, immune, glands, undetermined, contested, share as in the paper
FACTS = {
    "A1": (346, 282, 21, 24, 12, 2, 0, 5, 0, 0.977),
    "B1": (295, 63, 0, 95, 70, 0, 41, 26, 0, 0.986),
    "C1": (176, 127, 0, 37, 3, 0, 0, 9, 0, 0.938),
    "D1": (306, 139, 0, 109, 0, 7, 0, 51, 0, 0.967),
    "E1": (587, 340, 0, 17, 0, 177, 0, 53, 0, 1.0),
    "G2": (467, 140, 20, 110, 98, 17, 17, 65, 8, 1.0),
}
TEXTS = (
    "invasive cancer", "cancer in situ", "connective tissue", "adipose tissue", "immune infiltrate", "breast glands",
    "undetermined",
)  # fmt: skip
PAPER_POSITIVES = {"A1": 311, "B1": 65, "C1": 130, "D1": 147, "E1": 340, "G2": 160}


@pytest.fixture(scope="module")
def sections(her2st: Path, plugins: Plugins) -> dict[str, Section]:
    reader = plugins.readers.create("st")
    return {name: reader.read(her2st / "ST-cnts" / f"{name}.tsv.gz", ImageInputs(with_image=False)) for name in FACTS}


def pathologist(her2st: Path, section: Section, name: str) -> Section:
    return attach_labels(section, read_labels(her2st / "ST-pat/lbl" / f"{name}_labeled_coordinates.tsv"), Vocabulary())


def paper(her2st: Path, section: Section, name: str) -> Section:
    return attach_labels(section, read_labels(her2st / "labels_paper" / f"{name}.txt"), Vocabulary())


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("name", FACTS)
def test_every_spot_gets_the_pathologists_label(her2st: Path, sections: dict[str, Section], name: str) -> None:
    spots, *texts, contested, _ = FACTS[name]
    obs = pathologist(her2st, sections[name], name).counts.obs
    text_counts = obs["annotation"].value_counts()
    assert len(obs) == spots
    assert [int(text_counts.get(text, 0)) for text in TEXTS] == texts
    assert (obs["label"] == "cancer").sum() == texts[0] + texts[1]
    assert obs["label"].isna().sum() == texts[-1]
    assert obs["label_contested"].sum() == contested


def test_the_contested_spots_of_g2_keep_their_first_label(her2st: Path, sections: dict[str, Section]) -> None:
    obs = pathologist(her2st, sections["G2"], "G2").counts.obs
    assert set(obs.loc[obs["label_contested"], "annotation"]) == {"invasive cancer"}


@pytest.mark.parametrize("name", FACTS)
def test_the_papers_vectors_follow_the_counts(her2st: Path, sections: dict[str, Section], name: str) -> None:
    paper_labels = paper(her2st, sections[name], name).counts.obs["label"] == "cancer"
    pathologist_labels = pathologist(her2st, sections[name], name).counts.obs["label"] == "cancer"
    assert paper_labels.sum() == PAPER_POSITIVES[name]
    assert (paper_labels == pathologist_labels).mean() == pytest.approx(FACTS[name][-1], abs=6e-4)


def test_the_label_file_of_any_other_section_is_refused(her2st: Path, sections: dict[str, Section]) -> None:
    for name, section in sections.items():
        for other in set(FACTS) - {name}:
            with pytest.raises(LabelError):
                pathologist(her2st, section, other)
            with pytest.raises(LabelError):
                paper(her2st, section, other)


def test_transferred_labels_are_few_of_the_border_and_joined_by_id(her2st: Path, plugins: Plugins) -> None:
    section = plugins.readers.create("st").read(her2st / "ST-cnts" / "C5.tsv.gz", ImageInputs(with_image=False))
    labelled = attach_labels(section, read_labels(her2st / "labels_transferred" / "C5.csv"), Vocabulary())
    counted = labelled.counts.obs["label"].value_counts()
    assert dict(pd.Series(counted).astype(int)) == {"cancer": 124, "normal": 41}
    assert labelled.notes[-1] == "C5.csv: 16 of 181 spots have no label (6 without a row, 10 undetermined or blank)"
    assert "other sections may have as well" in labelled.notes[-2]
