"""Whether an encoder works here: its licence, its weights, its network, and one tile through it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from spacrd_cli.terminal.findings import Finding
from spacrd_core.errors import SpacrdError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import torch

    from spacrd_core.cards import EncoderCard, Recipe
    from spacrd_core.plugins import Registry

SECTION_SPOTS = 4000  # of a Visium section
SLOW_S = 1.0  # a tile; a section takes more than an hour then
GIB, MILLION = 2**30, 1e6


def examine(
    encoders: Registry[EncoderCard], name: str, options: Mapping[str, object], device: str
) -> Iterator[Finding]:
    """Yield what is found of an encoder, up to the first thing that fails."""
    subject = f"{name}: name"
    try:
        from spacrd_core.devices import choose_device  # torch arrives here, not sooner

        card, chosen = encoders.card(name), choose_device(device)
        if card.recipe:
            yield _licence(name, card.recipe, card)
        subject = f"{name}: weights"
        encoder = encoders.create(name, options).to(chosen)
        if not card.recipe:  # a family's members each have their own
            yield _licence(name, encoder.recipe, card)
        yield _weights(subject, encoder, card)
        subject = f"{name}: network"
        yield _network(subject, encoder)
        subject = f"{name}: tile"
        yield _tile(subject, encoder, chosen)
    except SpacrdError as error:
        yield Finding.failed(subject, error)
    except ImportError as error:
        yield Finding(subject, f"a library cannot be imported: {error}", "FAIL", "see the libraries above")
    except MemoryError as error:
        yield Finding(subject, f"it does not fit the memory: {error}", "FAIL", "--device cpu, or a smaller encoder")


def _licence(name: str, recipe: Recipe, card: EncoderCard) -> Finding:
    gate = f"; gated: https://huggingface.co/{card.network.repo}" if recipe.gated and card.network else ""
    unclear = recipe.licence.startswith(("unclear", "unknown"))
    remedy = "ask its owner; the licence reaches detectors trained on its embeddings" if unclear else ""
    return Finding(f"{name}: licence", f"{recipe.licence}{gate}", "WARN" if unclear else "PASS", remedy)


def _weights(subject: str, encoder: Any, card: EncoderCard) -> Finding:
    path = getattr(encoder, "weights", None)
    if path is None:
        return Finding(subject, encoder.recipe.weights)
    digest = encoder.recipe.weights.removeprefix("sha256:")
    found = f"{path} ({path.stat().st_size / GIB:.2f} GiB, sha256 {digest[:12]}...{_revision(path, card)})"
    published = card.network.sha256 if card.network else ""
    if published and published != digest:
        remedy = "fine if you converted or trained it; its embeddings never mix with those of the published file"
        return Finding(subject, f"{found} is not the published file", "WARN", remedy)
    return Finding(subject, found)


def _revision(path: Path, card: EncoderCard) -> str:
    """Return which revision a file of the Hub's cache is of, and the card's where that is another."""
    if "snapshots" not in path.parts:
        return ""
    used, pinned = path.parts[path.parts.index("snapshots") + 1], card.network.revision if card.network else "main"
    return f", revision {used[:7]}" + ("" if pinned in {"main", used} else f" in place of the card's {pinned[:7]}")


def _network(subject: str, encoder: Any) -> Finding:
    begun = time.perf_counter()
    network = getattr(encoder, "network", None)
    if network is None:
        return Finding(subject, "none that can be counted")
    tensors = network.state_dict().values()
    parameters = sum(tensor.numel() for tensor in tensors) / MILLION
    seconds = time.perf_counter() - begun
    return Finding(subject, f"{parameters:.2f} M parameters in {len(tensors)} tensors, built in {seconds:.1f} s")


def _tile(subject: str, encoder: Any, device: torch.device) -> Finding:
    """Embed a grey tile twice: the first time pays for what is made ready."""
    import torch

    recipe: Recipe = encoder.recipe
    tile = torch.full((1, 3, recipe.input_px, recipe.input_px), 128, dtype=torch.uint8, device=device)
    try:
        encoder.embed(tile)
        begun = time.perf_counter()
        embedding = encoder.embed(tile).cpu()
    except torch.OutOfMemoryError as error:
        raise MemoryError(f"of {device}") from error
    seconds = time.perf_counter() - begun
    found = (
        f"{embedding.shape[1]} numbers from {recipe.input_px} px ({recipe.patch_um:g} um) in {1000 * seconds:.0f} ms"
        f" on {device}"
    )
    if embedding.shape[1] != recipe.dim or not bool(embedding.isfinite().all()):
        wrong = f"{found}; its recipe says {recipe.dim} finite ones"
        return Finding(subject, wrong, "FAIL", f"spacrd plugins check {subject.partition(': ')[0]}")
    if seconds > SLOW_S:
        hours = seconds * SECTION_SPOTS / 3600
        remedy = f"a section of {SECTION_SPOTS} spots takes {hours:.1f} h here: use a GPU or a smaller encoder"
        return Finding(subject, found, "WARN", remedy)
    return Finding(subject, found)
