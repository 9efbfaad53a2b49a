"""Gene symbols that R changed into names of variables (``make.names``), restored.

``read.table`` and ``data.frame`` put a dot for every character that a variable's name may not have, and an X before a
digit: ``HLA-A`` becomes ``HLA.A``, ``7SK`` becomes ``X7SK``. A symbol is restored if it is not a gene's name as it is
and one gene's symbol becomes it; names that no list has are restored by their form.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from spacrd_core.genes.names import human_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NUMBERED = re.compile(r"(.+)\.\d+")
LEADING_DIGIT = re.compile(r"X(\d.*)")
FORMS = (  # of names that are not in the list of human genes; the dots of the group were hyphens
    re.compile(r"(\w+\.)[A-Z]*\d+[A-Z]+\d+\.\d+"),  # clones: RP11-34P13.7
    re.compile(r"(\w+\.)(?:AS|IT|OT|DT|ps|rs)\d*"),  # antisense, intronic and divergent genes; copies in mice
    re.compile(r"(hsa\.(?:mir|let)\.)\w+"),
    re.compile(r"((?:I[Gg][HhKkLl]|T[Rr][AaBbDdGg])[VvDdJj]\d+[Dd]?[Nn]?\.\d+(?:\.\d+)?)"),  # immune receptors
    re.compile(r"(H2\.)[A-Z][A-Za-z]*[\d.]*"),  # the major histocompatibility complex of mice: H2-K1
    re.compile(r"((?:mt|Hb[ab]|Tcr[abdg])\.)[A-Za-z]\w*"),  # mitochondria, haemoglobins and T cell receptors of mice
    re.compile(r"(Krtap\d+\.)\d+\w?"),
)
RIKEN_CLONE = re.compile(r"X(\d{6,7}[A-Z0-9]\d{2}Rik\d*)")


def restore_symbols(symbols: Sequence[str]) -> list[str]:
    """Return symbols as they were before R changed them; those that it did not change stay.

    A symbol and its copy (``TBCE``, ``TBCE.1``) are numbers of ``make.unique``, not a changed hyphen.
    """
    names = set(symbols)
    restored = [symbol if _is_copy(symbol, names) else _restored(symbol) for symbol in symbols]
    changed_by_r = restored != list(symbols) and not any("-" in symbol for symbol in symbols)
    return [_without_x(symbol) for symbol in restored] if changed_by_r else restored


def _restored(symbol: str) -> str:
    current, capitals = human_names().current, symbol.upper()
    original = _originals().get(capitals, "")
    if current.get(capitals) not in {None, current.get(original)}:  # another gene has that name
        return symbol
    if original:
        kept = symbol[len(symbol) - len(original) :]
        return "".join(right if letter == "." else letter for letter, right in zip(kept, original, strict=True))
    if clone := RIKEN_CLONE.fullmatch(symbol):
        return clone[1]
    for form in FORMS:
        if match := form.fullmatch(symbol):
            return match[1].replace(".", "-") + symbol[match.end(1) :]
    return symbol


def _without_x(symbol: str) -> str:
    """Return a symbol of a table that R changed without the X before a digit, unless a gene has that name."""
    match = LEADING_DIGIT.fullmatch(symbol)
    return match[1] if match and symbol.upper() not in human_names().current else symbol


def _is_copy(symbol: str, names: set[str]) -> bool:
    numbered = NUMBERED.fullmatch(symbol)
    return bool(numbered and numbered[1] in names)


@cache
def _originals() -> Mapping[str, str]:
    """Return human symbols by what R makes of them, where it is one symbol; all in capitals.

    Of aliases, only those that begin with a digit are among them: the others look like numbered copies (``BCR-1``).
    """
    originals: dict[str, str] = {}
    ambiguous: set[str] = set()
    names = human_names()
    for symbol in names.symbols | {alias for alias in names.current if alias[0].isdigit()}:
        changed = _changed(symbol)
        if changed != symbol and originals.setdefault(changed, symbol) != symbol:
            ambiguous.add(changed)
    return {changed: symbol for changed, symbol in originals.items() if changed not in ambiguous}


def _changed(symbol: str) -> str:
    """Return what R makes of a symbol."""
    dotted = re.sub(r"[^A-Za-z0-9._]", ".", symbol)
    return f"X{dotted}" if dotted[0].isdigit() else dotted
