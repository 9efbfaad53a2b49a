"""Damage to tables of text and to JSON that keeps them readable: rows, cells and values that no program expects."""

import json
from random import Random
from typing import Any

VALUES = (
    *(
        "",
        " ",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "1e400",
        "-1",
        "0",
        "1e-320",
        "9" * 400,
        "1.5",
        "0x1F",
        "1_000",
        "١٢",
        "TRUE",
    ),
    *(
        "x" * 200_000,
        "\0",
        "\ufeff",
        "'",
        '"',
        '""',
        "=1+1",
        "a\tb",
        "é" * 50,
        "\u202e",
        "../../etc/passwd",
        "1,5",
        ";",
    ),
)
DEEP = 100_000


def cell(text: str, random: Random) -> str:
    """Put another value into a few cells."""
    lines = text.split("\n")
    for _ in range(random.choice((1, 1, 5))):
        number = random.randrange(len(lines))
        mark = next((mark for mark in "\t;, " if mark in lines[number]), ",")
        cells = lines[number].split(mark)
        cells[random.randrange(len(cells))] = random.choice(VALUES)
        lines[number] = mark.join(cells)
    return "\n".join(lines)


def column(text: str, random: Random) -> str:
    """Put one value into a whole column, or take the column out."""
    lines = text.split("\n")
    mark = next((mark for mark in "\t;, " if mark in text), ",")
    number, value, is_out = (
        random.randrange(lines[0].count(mark) + 1),
        random.choice(VALUES[:16]),
        random.random() < 0.4,
    )
    rows = [line.split(mark) for line in lines]
    for row in rows[random.randrange(2) :]:
        if number < len(row):
            row[number : number + 1] = [] if is_out else [value]
    return "\n".join(mark.join(row) for row in rows)


def ragged(text: str, random: Random) -> str:
    """Give a row more or fewer cells."""
    lines = text.split("\n")
    number = random.randrange(len(lines))
    mark = next((mark for mark in "\t;," if mark in lines[number]), ",")
    more, fewer = lines[number] + mark * random.choice((1, 3, 5000)), lines[number].rpartition(mark)[0]
    lines[number] = random.choice((more, fewer, ""))
    return "\n".join(lines)


def rows(text: str, random: Random) -> str:
    """Repeat, drop or shuffle rows; or leave only the header, or only the rows."""
    header, *below = text.split("\n")
    shuffled = random.sample(below, len(below))
    choices = (
        [header],
        below,
        [header, header, *below],
        [header, *below, *below],
        [header, *shuffled],
        [header, below[0]],
    )
    return "\n".join(random.choice(choices if below else ([header], [])))


def ends(text: str, random: Random) -> str:
    """Write other ends of lines, or none."""
    return text.replace("\n", random.choice(("\r\n", "\r", "", " ", "\u2028", "\n\n", "\v", "\0")))


def nested(text: str, random: Random) -> str:
    """Return JSON that is nested too deeply for a parser."""
    opened, closed = random.choice((("[", "]"), ('{"a":', "}"), ('{"features":[', "]}")))
    body = opened * DEEP + ("1" + closed * DEEP if random.random() < 0.5 else "")
    return body if random.random() < 0.5 else text.rstrip()[:-1] + f',"deep":{body}' + text.rstrip()[-1:]


def value(text: str, random: Random) -> str:
    """Put another value into a place of a JSON document, or take one out."""
    try:
        document = json.loads(text)
    except ValueError:
        return cell(text, random)
    for _ in range(random.choice((1, 1, 3))):
        document = _changed(document, random)
    return json.dumps(document)


def _changed(document: Any, random: Random) -> Any:
    """Return a document in which one place, anywhere in it, has another value or is missing."""
    parent: Any = None
    key: Any = None
    node = document
    while isinstance(node, (dict, list)) and node and random.random() < 0.85:
        parent, key = node, random.choice(list(node) if isinstance(node, dict) else range(len(node)))
        node = parent[key]
    strange: tuple[Any, ...] = (
        *(None, True, -1, 0, 10**30, 10**400, 1e308, float("nan"), float("inf"), "", "x" * 10_000, "../..", "\0"),
        *([], {}, [[]], [None], {"a": None}, [1] * 1000, [node], {"a": node}, str(node)[:50], "\ud800"),
    )
    if parent is None:
        return random.choice(strange)
    if random.random() < 0.2:
        del parent[key]
    else:
        parent[key] = random.choice(strange)
    return document


TABLE = (cell, cell, column, ragged, rows, ends)
JSON = (value, value, value, value, nested)
