"""``spacrd plugins``: lists, shows and checks; problems are stderr, not thrown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Install

from spacrd_cli import main
from spacrd_core import hookspecs

BROKEN = ("broken_import", "broken_hook", "broken_card", "broken_name")


def test_list_runs_without_a_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["plugins"]) == 0
    bare = capsys.readouterr().out
    assert main.run(["plugins", "list"]) == 0
    assert capsys.readouterr().out == bare
    assert "stain" in bare
    assert "timm:<name>" in bare


@pytest.mark.parametrize("arguments", [["plugins", "--json"], ["plugins", "list", "--json"]])
def test_the_list_as_json_holds_every_card_and_problem(
    arguments: list[str], install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("mylab", "broken_name")
    assert main.run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"reader", "encoder", "head"} == {card["kind"] for card in document["components"]}
    assert "mylab" in [card["name"] for card in document["components"]]
    assert [problem["name"] for problem in document["problems"]] == ["linear"]


def test_problems_are_reported_on_stderr_and_the_list_still_stands(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(*BROKEN)
    assert main.run(["plugins"]) == 0
    shown = capsys.readouterr()
    assert "stain" in shown.out
    assert "warning: head 'linear': the name is claimed by broken-name:broken and spacrd:heads" in shown.err
    assert "no licence server" in shown.err
    assert "a_missing_library" in shown.err


def test_listing_a_third_partys_plugin_stays_light(install: Install) -> None:
    folder = install("mylab")
    probe = "import sys; from spacrd_cli.main import run; run(['plugins']); print('torch' in sys.modules)"
    source = Path(__file__).parents[1] / "plugins" / "mylab"
    path = os.pathsep.join([str(folder), str(source), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": path}
    )
    assert "neighbours" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"


def test_the_list_says_what_each_encoder_may_be_used_for_and_who_may_have_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main.run(["plugins"]) == 0
    lines = {line.split()[1]: line for line in capsys.readouterr().out.splitlines() if line.startswith(" encoder")}
    ends = {name: " ".join(line.split()[-2:]) for name, line in lines.items()}
    assert ends["uni"] == "CC-BY-NC-ND-4.0 gated"
    assert ends["midnight"] == "MIT open"
    assert ends["stain"] == "none needed"
    assert ends["timm:<name>"] == "- -"


def test_show_prints_everything_that_decides_what_an_encoder_gives(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["plugins", "show", "virchow2"]) == 0
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if len(line.split()) > 1)
    facts = {key: value.strip() for key, value in shown.items()}
    assert facts["recipe.mean"] == "0.485, 0.456, 0.406"
    assert (facts["recipe.pooling"], facts["recipe.dim"]) == ("cls+mean", "2560")
    assert (facts["recipe.input_px"], facts["recipe.um_per_px"]) == ("224", "0.5")
    assert (facts["recipe.precision"], facts["recipe.gated"]) == ("fp16", "yes")
    assert facts["recipe.licence"] == "CC-BY-NC-ND-4.0"
    assert facts["network.repo"] == "paige-ai/Virchow2"
    assert facts["network.revision"] == "3158645804b69e3f3bc4439d4116edddf0840a72"
    assert facts["network.architecture"] == "vit_huge_patch14_224"
    assert (facts["network.arguments.mlp_ratio"], facts["network.arguments.reg_tokens"]) == ("5.3375", "4")
    assert facts["network.parameters"] == "631239424"
    assert facts["trained_um_per_px"] == "0.25, 0.5, 1.0, 2.0"
    assert "arXiv:2408.00738" in facts["citation"]


def test_show_as_json_holds_the_whole_card_of_uni(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["plugins", "show", "uni_v1", "--json"]) == 0
    (card,) = json.loads(capsys.readouterr().out)["components"]
    assert (card["name"], card["recipe"]["gated"], card["recipe"]["dim"]) == ("uni", True, 1024)
    assert card["network"]["arguments"] == {
        "img_size": 224,
        "patch_size": 16,
        "init_values": 1e-5,
        "dynamic_img_size": True,
    }
    assert card["options"].keys() == {"weights", "revision", "stain_views"}


def test_show_tells_the_recipe_and_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["plugins", "show", "stain"]) == 0
    assert "recipe.um_per_px" in capsys.readouterr().out
    assert main.run(["plugins", "show", "linear"]) == 0
    assert "head.components" in capsys.readouterr().out


def test_show_says_that_it_knows_the_family_and_not_the_member(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["plugins", "show", "timm:nope"]) == 0
    stderr = "note: this is the family; whether 'timm:nope' exists is known only when it is used\n"
    assert capsys.readouterr().err == stderr
    assert main.run(["plugins", "show", "uni"]) == 0
    assert capsys.readouterr().err == ""


def test_show_as_json_is_one_document(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("mylab")
    assert main.run(["plugins", "show", "lab", "--json"]) == 0
    (card,) = json.loads(capsys.readouterr().out)["components"]
    assert (card["name"], card["options"]["um_per_px"]["default"]) == ("mylab", 0.5)


def test_show_still_shows_the_card_when_the_class_cannot_be_imported(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken_name")
    assert main.run(["plugins", "show", "elsewhere"]) == 0
    shown = capsys.readouterr()
    assert "broken_name.elsewhere:Head" in shown.out
    assert "could not be imported" in shown.err


def test_an_unknown_name_is_refused_with_what_there_is_of_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["plugins", "show", "stane"]) == 1
    shown = capsys.readouterr().err
    assert "error: no component is named 'stane'" in shown
    assert "did you mean stain?" in shown


@pytest.mark.parametrize("name", ["mylab", "colour", "neighbours"])
def test_check_says_yes_to_every_promise_of_a_good_component(
    name: str, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("mylab")
    assert main.run(["plugins", "check", name, "--json"]) == 0
    promises = json.loads(capsys.readouterr().out)
    assert promises
    assert all(promise["broken"] is None for promise in promises)


def test_check_of_a_plugin_checks_what_every_hook_returns(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("mylab")
    hooks = {name for name in vars(hookspecs) if name.startswith("spacrd_")}
    for name in ("mylab", "mylab-spacrd"):
        assert main.run(["plugins", "check", name, "--json"]) == 0
        promises = json.loads(capsys.readouterr().out)
        assert {f"spacrd_{promise['kind']}s" for promise in promises} == hooks
        assert {promise["name"] for promise in promises} == {"mylab", "colour", "neighbours"}


def test_check_of_a_plugin_fails_for_what_cannot_be_listed_and_goes_on(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken_hook", "broken_card")
    assert main.run(["plugins", "check", "broken-card", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [(row["kind"], row["promise"]) for row in rows] == [
        ("plugin", "The plugin can be loaded and listed"),
        ("plugin", "The plugin can be loaded and listed"),
        ("reader", "The component can be created"),
    ]
    assert all(row["broken"] for row in rows)


def test_check_reads_a_readers_example(install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install("mylab")
    example = tmp_path / "a.mylab.csv"
    example.write_text("spot,x_px,y_px,ERBB2\na,0,0,3\nb,200,0,0\n")
    assert main.run(["plugins", "check", "mylab", "--example", str(example)]) == 0
    assert "one pitch apart" in capsys.readouterr().out
    assert main.run(["plugins", "check", "mylab", "--example", str(example), "--set", "um_per_px=2"]) == 1
    assert "neighbouring spots are 400 um apart" in capsys.readouterr().out


def test_check_exits_1_and_names_what_is_broken_even_if_the_component_crashes(
    install: Install, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("mylab")
    import mylab_spacrd.components as lab  # noqa: PLC0415 - installed by this test

    monkeypatch.setattr(lab.Colour, "embed", lambda _, tiles: tiles.no_such_thing)
    assert main.run(["plugins", "check", "colour"]) == 1
    assert "it raised AttributeError" in capsys.readouterr().out


def test_an_option_that_a_component_does_not_have_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["plugins", "check", "stain", "--set", "nonsense=1"]) == 1
    assert "unknown setting 'nonsense'" in capsys.readouterr().err
