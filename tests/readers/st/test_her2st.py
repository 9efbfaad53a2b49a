"""Real her2st sections, compared with known facts."""

from pathlib import Path

import pytest

from spacrd_core.section.section import ImageInputs
from spacrd_readers.st.reader import St

pytestmark = pytest.mark.her2st

# section: spots, um/px, image px per coordinate px (None: no image)
FACTS = {
    "A1": (346, 0.916, 0.2876),
    "A2": (323, 3.196, 1.0),
    "B1": (295, 0.688, None),
    "B4": (283, 0.688, 1.0),
    "C1": (176, 0.688, None),
    "C2": (187, 0.689, 1.0),
    "C3": (180, 0.686, 1.0),
    "C4": (184, 0.686, 1.0),
    "C5": (181, 0.686, 1.0),
    "C6": (178, 0.688, 1.0),
    "D1": (306, 0.688, None),
    "E1": (587, 0.687, None),
    "G2": (467, 0.687, None),
}


@pytest.mark.ci_cases(3)
@pytest.mark.parametrize("name", FACTS)
def test_every_section_is_read_whole_at_its_own_um_per_px(her2st: Path, name: str) -> None:
    spots, um_per_px, scale = FACTS[name]
    section = St(St.Options()).read(her2st / "ST-cnts" / f"{name}.tsv.gz", ImageInputs())
    assert section.counts.n_obs == spots
    assert 14_861 <= section.counts.n_vars <= 15_842
    assert section.um_per_px == pytest.approx(um_per_px, abs=6e-4)
    if scale is None:
        assert section.slide is None
    else:
        assert section.slide
        assert section.slide.scale == pytest.approx(scale, abs=5e-5)
        assert section.slide.um_per_px == pytest.approx(um_per_px / scale, rel=1e-3)
