"""Check an encoder on this machine: its licence, its weights, its network, and the embedding of one tile."""

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

VISIUM_SECTION_SPOTS = 4000
SLOW_TILE_S = 1.0  # at this speed a Visium section takes more than an hour
GIB, MILLION = 2**30, 1e6


def check_encoder(
    encoders: Registry[EncoderCard], name: str, options: Mapping[str, object], device: str
) -> Iterator[Finding]:
    """Yield findings about an encoder, up to the first failure."""
    subject = f"{name}: name"
    try:
        from spacrd_core.devices import choose_device  # imports torch

        card, torch_device = encoders.card(name), choose_device(device)
        if card.recipe:
            yield _licence(name, card.recipe, card)
        subject = f"{name}: weights"
        encoder = encoders.create(name, options).to(torch_device)
        if not card.recipe:  # each member of a family has its own licence
            yield _licence(name, encoder.recipe, card)
        yield _weights(subject, encoder, card)
        subject = f"{name}: network"
        yield _network(subject, encoder)
        subject = f"{name}: tile"
        yield _tile(subject, encoder, torch_device)
    except SpacrdError as error:
        yield Finding.failed(subject, error)
    except ImportError as error:
        yield Finding(subject, f"a library cannot be imported: {error}", "FAIL", "see the libraries above")
    except MemoryError as error:
        yield Finding(subject, f"it does not fit into memory: {error}", "FAIL", "--device cpu, or a smaller encoder")


def _licence(name: str, recipe: Recipe, card: EncoderCard) -> Finding:
    gate = f"; gated: https://huggingface.co/{card.network.repo}" if recipe.gated and card.network else ""
    unclear = recipe.licence.startswith(("unclear", "unknown"))
    remedy = "contact its owner; the licence covers detectors trained on its embeddings" if unclear else ""
    return Finding(f"{name}: licence", f"{recipe.licence}{gate}", "WARN" if unclear else "PASS", remedy)


def _weights(subject: str, encoder: Any, card: EncoderCard) -> Finding:
    path = getattr(encoder, "weights", None)
    if path is None:
        return Finding(subject, encoder.recipe.weights)
    digest = encoder.recipe.weights.removeprefix("sha256:")
    found = f"{path} ({path.stat().st_size / GIB:.2f} GiB, sha256 {digest[:12]}...{_revision(path, card)})"
    published = card.network.sha256 if card.network else ""
    if published and published != digest:
        remedy = "fine if you converted or trained it; its embeddings are not mixed with those of the published file"
        return Finding(subject, f"{found} is not the published file", "WARN", remedy)
    return Finding(subject, found)


def _revision(path: Path, card: EncoderCard) -> str:
    """Return the revision of a file in the Hub's cache, and the revision in the card if it differs."""
    if "snapshots" not in path.parts:
        return ""
    used, pinned = path.parts[path.parts.index("snapshots") + 1], card.network.revision if card.network else "main"
    return f", revision {used[:7]}" + ("" if pinned in {"main", used} else f" instead of {pinned[:7]}")


def _network(subject: str, encoder: Any) -> Finding:
    start = time.perf_counter()
    network = getattr(encoder, "network", None)
    if network is None:
        return Finding(subject, "the encoder has no network attribute")
    tensors = network.state_dict().values()
    parameters = sum(tensor.numel() for tensor in tensors) / MILLION
    seconds = time.perf_counter() - start
    return Finding(subject, f"{parameters:.2f} M parameters in {len(tensors)} tensors, built in {seconds:.1f} s")


def _tile(subject: str, encoder: Any, device: torch.device) -> Finding:
    """Time the embedding of a grey tile; a first run is the warm-up."""
    import torch

    recipe: Recipe = encoder.recipe
    tile = torch.full((1, 3, recipe.input_px, recipe.input_px), 128, dtype=torch.uint8, device=device)
    try:
        encoder.embed(tile)
        start = time.perf_counter()
        embedding = encoder.embed(tile).cpu()
    except torch.OutOfMemoryError as error:
        raise MemoryError(f"of {device}") from error
    seconds = time.perf_counter() - start
    found = (
        f"{embedding.shape[1]} dimensions from {recipe.input_px} px ({recipe.patch_um:g} um) in {1000 * seconds:.0f} ms"
        f" on {device}"
    )
    if embedding.shape[1] != recipe.dim or not bool(embedding.isfinite().all()):
        mismatch = f"{found}; its recipe has {recipe.dim} finite dimensions"
        return Finding(subject, mismatch, "FAIL", f"spacrd plugins check {subject.partition(': ')[0]}")
    if seconds > SLOW_TILE_S:
        hours = seconds * VISIUM_SECTION_SPOTS / 3600
        remedy = f"{VISIUM_SECTION_SPOTS} spots take {hours:.1f} h on this machine: use a GPU or a smaller encoder"
        return Finding(subject, found, "WARN", remedy)
    return Finding(subject, found)
