"""The docs match the cards; ``python tests/encoders/test_docs_table.py`` regenerates their table."""

import re
from pathlib import Path
from typing import Any

from spacrd_core.plugins import load_plugins

PAGE = Path(__file__).parents[2] / "docs" / "encoders.md"
MARKED = re.compile(r"(?<=test_docs_table\.py -->\n).*?(?=<!-- end -->)", re.DOTALL)
COLUMNS = ("name", "numbers", "parameters", "precision", "access", "licence", "weights")


def table() -> str:
    """The catalogue as Markdown."""
    cards = [card for card in load_plugins().encoders if card.recipe]
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_row(card) for card in cards if card.network)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(card: Any) -> tuple[str, ...]:
    network, recipe = card.network, card.recipe
    link = f"[{network.repo}](https://huggingface.co/{network.repo})"
    return (
        f"`{card.name}`",
        f"{recipe.dim} {recipe.pooling}",
        f"{network.parameters / 1e6:,.1f} M",
        recipe.precision,
        "gated" if recipe.gated else "open",
        recipe.licence,
        f"{link} at {network.revision[:7]}",
    )


def test_the_table_in_the_docs_matches_the_cards() -> None:
    (shown,) = MARKED.findall(PAGE.read_text(encoding="utf-8"))
    assert shown == table()


def test_every_encoder_of_the_catalogue_uses_the_tile_size_in_the_docs() -> None:
    recipes = [card.recipe for card in load_plugins().encoders if card.network and card.recipe]
    assert {(recipe.input_px, recipe.um_per_px) for recipe in recipes} == {(224, 0.5)}


def test_the_encoders_that_the_docs_call_permissive_are() -> None:
    cards = {card.name: card.recipe for card in load_plugins().encoders if card.recipe}
    without = {name for name, recipe in cards.items() if recipe.licence in ("MIT", "Apache-2.0", "BSD-3-Clause")}
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    patterns = re.findall(r"`([\w*-]+)`", text.partition("Without such terms are")[2].partition("## Left")[0])
    assert {name for name in cards if any(re.fullmatch(text.replace("*", ".*"), name) for text in patterns)} == without


if __name__ == "__main__":
    PAGE.write_text(MARKED.sub(lambda _: table(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
