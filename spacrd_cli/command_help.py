"""What ``--help`` shows of a command: the options that matter first, the others in groups, and an example."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

SETTINGS = {"help_option_names": ["-h", "--help"]}
MAIN, MORE, WHERE, OUTPUT = "Main options", "More options", "Where it runs", "Settings and output"
IN_GROUP = {
    **dict.fromkeys(("device", "precision", "batch_size", "executor", "workers", "jobs", "scheduler", "part"), WHERE),
    **dict.fromkeys(("config", "set_", "dry_run", "json", "wide", "quiet", "help"), OUTPUT),
}
FIRST = {
    "call": ("output", "detector", "image"),
    "ingest": ("patient", "labels", "image"),
    "embed": ("encoder", "section", "weights"),
    "train": ("output", "encoder", "exclude"),
    "detect": ("output", "section", "regions"),
    "evaluate": ("head", "encoder", "output"),
    "report": ("output", "section"),
    "export": ("format_", "output", "section"),
    "plot": ("output", "section", "profile"),
    "suggest": ("output", "spots", "section"),
}
EXAMPLES = {
    "call": "spacrd call run8/outs -o results",
    "ingest": "spacrd ingest lung run8/outs --patient P1 --labels labels.csv",
    "embed": "spacrd embed lung --encoder stain",
    "train": "spacrd train lung -o detector --encoder stain",
    "detect": "spacrd detect lung detector -o results",
    "evaluate": "spacrd evaluate lung --encoder stain -o evaluation.json",
    "report": "spacrd report lung detector -o report.html",
    "export": "spacrd export lung detector --format geojson -o qupath",
    "plot": "spacrd plot lung detector -o figures",
    "suggest": "spacrd suggest lung detector --section B4 -o look",
    "plugins list": "spacrd plugins list --wide",
    "plugins show": "spacrd plugins show uni",
    "plugins check": "spacrd plugins check my_reader --example my_section",
    "store ls": "spacrd store ls lung",
    "store show": "spacrd store show lung B4",
    "store label": "spacrd store label lung B4 --labels corrected.geojson",
    "store rm": "spacrd store rm lung B4",
    "store verify": "spacrd store verify lung",
    "store gc": "spacrd store gc lung",
    "doctor": "spacrd doctor --encoder uni",
    "push": "spacrd push detector mylab/lung",
    "pull": "spacrd pull mylab/lung detector",
    "demo": "spacrd demo tryout",
}


class Command(TyperCommand):
    """A command whose help has its options in groups, and an example."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        context = {**(settings.pop("context_settings", None) or {}), **SETTINGS}
        super().__init__(name, context_settings=context, **settings)
        for option in self.params:
            _show_no_type(option)
        named = FIRST.get(name or "")
        for option in [param for param in self.params if param.param_type_name == "option"]:
            rest = MAIN if not named or option.name in named else MORE
            option.rich_help_panel = IN_GROUP.get(option.name, rest)  # type: ignore[attr-defined]
        self.params.sort(key=lambda param: _place(param, named or ()))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with the example of this command at its end."""
        words = ctx.command_path.partition(" ")[2]
        self.epilog = f"Example: [bold]{EXAMPLES[words]}[/bold]"
        super().format_help(ctx, formatter)

    def get_help_option(self, ctx: Any) -> Any:
        """Return ``--help``, in the last group."""
        option = super().get_help_option(ctx)
        if option:
            option.rich_help_panel = OUTPUT
            _show_no_type(option)
        return option


class Group(TyperGroup):
    """A group of commands whose help shows no type of its flags."""

    def get_params(self, ctx: Any) -> Any:
        """Return the options of the group."""
        params = super().get_params(ctx)
        for option in params:
            _show_no_type(option)
        return params


def _place(param: Any, named: tuple[str, ...]) -> tuple[int, int]:
    """Return where a parameter is listed: arguments, those named first in their order, then the groups."""
    if param.param_type_name == "argument":
        return 0, 0
    groups = (MAIN, MORE, WHERE, OUTPUT)
    return 1 + groups.index(param.rich_help_panel), named.index(param.name) if param.name in named else 0


def _show_no_type(option: Any) -> None:
    """Let a flag be shown without a type, which would be ``<bool>``."""
    if getattr(option, "is_flag", False) and option.metavar is None:
        option.metavar = ""
