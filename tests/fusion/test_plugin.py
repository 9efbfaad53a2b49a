"""The cards of our heads."""

from spacrd_core.cohort.batch import Dims
from spacrd_core.plugins import Plugins
from spacrd_fusion.linear import LinearHead
from spacrd_fusion.spacrd import SpaCRDHead


def test_both_heads_are_found_by_name_and_built_with_their_options(plugins: Plugins) -> None:
    spacrd = plugins.heads.create("spacrd", {"preset": "paper", "width": 64}, dims=Dims(genes=5, image=0))
    linear = plugins.heads.create("linear", {"components": 3}, dims=Dims(genes=5, image=4))
    assert isinstance(spacrd, SpaCRDHead)
    assert spacrd.options.width == 64
    assert isinstance(linear, LinearHead)
    assert linear.options.components == 3
