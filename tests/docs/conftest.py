"""Run the steps of the pages once."""

import pytest
from documentation.run import Done, do_all


@pytest.fixture(scope="session")
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The results of all steps of the pages that are tested."""
    tests = [item for item in request.session.items if "done" in getattr(item, "fixturenames", ())]
    cases = [item.callspec.params for item in tests if hasattr(item, "callspec")]
    pages = {case["step"].page for case in cases if "step" in case}
    if any("mistake" in case for case in cases):
        pages.add("troubleshooting.md")
    return do_all(tmp_path_factory.mktemp("world"), pages)
