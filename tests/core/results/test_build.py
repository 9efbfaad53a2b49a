"""The decision of a section from its spot table, and the provenance of several sections."""

import pandas as pd
import pytest
from stand_ins.detector import made_detector

from spacrd_core.detector.config import DetectorConfig
from spacrd_core.errors import InputError
from spacrd_core.model.decision import Decision
from spacrd_core.plugins import Plugins
from spacrd_core.results.build import decision_of, provenance


@pytest.fixture(scope="module")
def config(plugins: Plugins) -> DetectorConfig:
    return made_detector(plugins, patients="A").config


def test_the_decision_is_read_from_the_table_and_a_table_without_one_is_an_error() -> None:
    table = pd.DataFrame({"probability": [0.9]})
    with pytest.raises(InputError, match="'B4' no longer records") as caught:
        decision_of("B4", table)
    assert "store.predictions('B4')" in str(caught.value.hint)
    Decision(0.8, "given by the user", 0.1, 0.3).attach(table)
    assert decision_of("B4", table) == Decision(0.8, "given by the user", 0.1, 0.3)


def test_the_provenance_of_several_sections_has_every_rule_with_its_range_of_thresholds(config: DetectorConfig) -> None:
    gmm = [Decision(value, "mixture") for value in (0.61, 0.4, 0.52)]
    assert provenance(config, gmm).threshold_rule == "0.40 to 0.61, mixture"
    assert provenance(config, [gmm[0], Decision(0.5, "own")]).threshold_rule == "0.61, mixture; 0.50, own"
