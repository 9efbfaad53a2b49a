"""One class serves every published network: it is built from the card, and only with weights that fit."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm.layers.mlp import SwiGLUPacked
from torch import Tensor

from spacrd_core.cards import EncoderCard, Network
from spacrd_core.contracts.encoder import check_encoder, matches_its_card
from spacrd_core.errors import EncoderError, WeightsError
from spacrd_core.plugins import Plugins
from spacrd_encoders._cards import IMAGENET, hub_card
from spacrd_encoders.backbone.base import HubEncoder
from spacrd_encoders.backbone.networks import build_on_meta
from spacrd_encoders.backbone.weights import check_sha256

SMALL: dict[str, Any] = {"embed_dim": 48, "depth": 2, "num_heads": 3, "global_pool": ""}


def card(architecture: str = "vit_huge_patch14_224", *, px: int = 56, **arguments: object) -> EncoderCard:
    """A small Virchow2: gated layers, four registers with positions, class token and mean of the patches."""
    options = {"img_size": px, "reg_tokens": 4, "mlp_layer": "SwiGLUPacked", "act_layer": "SiLU", **SMALL, **arguments}
    return hub_card(
        "small",
        "Small",
        recipe={"input_px": px, "dim": 96, "pooling": "cls+mean", "licence": "MIT", **IMAGENET},
        resize="bicubic",
        citation="",
        network=Network(repo="lab/small", architecture=architecture, arguments=options, parameters=0),
    )


def write(encoder_card: EncoderCard, path: Path, seed: int = 0) -> dict[str, Tensor]:
    assert encoder_card.network
    numbers = torch.Generator().manual_seed(seed)
    shapes = {name: tensor.shape for name, tensor in build_on_meta(encoder_card.network).state_dict().items()}
    tensors = {name: 0.3 * torch.randn(shape, generator=numbers) for name, shape in shapes.items()}
    save_file(tensors, path)
    return tensors


def create(encoder_card: EncoderCard, path: Path) -> HubEncoder:
    return HubEncoder(HubEncoder.Options(weights=path), card=encoder_card)


def tiles(px: int) -> Tensor:
    return torch.randint(0, 256, (2, 3, px, px), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def test_an_encoder_with_registers_keeps_its_contract_and_its_card(tmp_path: Path) -> None:
    encoder_card = card()
    write(encoder_card, tmp_path / "w.safetensors")
    encoder = create(encoder_card, tmp_path / "w.safetensors")
    check_encoder(encoder)  # type: ignore[arg-type]
    matches_its_card((encoder_card, encoder))  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_published_encoder_keeps_its_contract_with_random_weights(plugins: Plugins, tmp_path: Path) -> None:
    name = "kaiko-s16"
    encoder_card = plugins.encoders.card(name)
    assert encoder_card.network
    torch.manual_seed(0)
    network = timm.create_model(encoder_card.network.architecture, num_classes=0, **encoder_card.network.arguments)
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    encoder = plugins.encoders.create(name, {"weights": tmp_path / "w.safetensors"})
    check_encoder(encoder)
    matches_its_card((encoder_card, encoder))
    unchanged = {fact: getattr(encoder.recipe, fact) for fact in ("mean", "std", "precision", "settings", "resize")}
    assert unchanged == {fact: getattr(encoder_card.recipe, fact) for fact in unchanged}


def test_the_embedding_is_the_class_token_beside_the_mean_of_the_patches(tmp_path: Path) -> None:
    encoder_card = card()
    tensors = write(encoder_card, tmp_path / "w.safetensors")
    network = timm.create_model(
        "vit_huge_patch14_224",
        num_classes=0,
        img_size=56,
        reg_tokens=4,
        mlp_layer=SwiGLUPacked,
        act_layer=torch.nn.SiLU,
        **SMALL,
    )
    network.load_state_dict(tensors, strict=True)
    mean, std = (torch.tensor(IMAGENET[fact])[:, None, None] for fact in ("mean", "std"))
    with torch.inference_mode():
        tokens = network.eval()((tiles(56) / 255 - mean) / std)
    assert tokens.shape == (2, 1 + 4 + 16, 48)
    expected = torch.cat([tokens[:, 0], tokens[:, 5:].mean(dim=1)], dim=1)
    assert torch.allclose(create(encoder_card, tmp_path / "w.safetensors").embed(tiles(56)), expected, atol=1e-5)


def test_a_classifier_in_the_file_is_left_out(plugins: Plugins, tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(timm.create_model("resnet50").state_dict(), tmp_path / "w.safetensors")
    assert "fc.weight" in load_file(tmp_path / "w.safetensors")
    encoder = plugins.encoders.create("resnet50", {"weights": tmp_path / "w.safetensors"})
    assert encoder.embed(tiles(224)).shape == (2, 2048)


def test_positions_of_larger_tiles_are_resampled_as_timm_does(plugins: Plugins, tmp_path: Path) -> None:
    torch.manual_seed(0)
    large = timm.create_model("vit_small_patch14_dinov2", img_size=518, num_classes=0, dynamic_img_size=True).eval()
    save_file(large.state_dict(), tmp_path / "w.safetensors")
    encoder = plugins.encoders.create("dinov2-s", {"weights": tmp_path / "w.safetensors"})
    mean, std = (torch.tensor(IMAGENET[fact])[:, None, None] for fact in ("mean", "std"))
    with torch.inference_mode():
        expected = large((tiles(224) / 255 - mean) / std)
    assert torch.allclose(encoder.embed(tiles(224)), expected, atol=1e-4)


def test_positions_of_other_tile_sizes_are_refused_unless_the_card_allows_them(tmp_path: Path) -> None:
    """UNI's tensors have GPFM's names: only their shapes differ."""
    write(card(px=84), tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"another shape in 1 tensors \(pos_embed \(1, 41, 48\) for \(1, 21, 48\)\)"):
        create(card(px=56), tmp_path / "w.safetensors").embed(tiles(56))


def test_weights_of_one_encoder_are_refused_by_another(plugins: Plugins, tmp_path: Path) -> None:
    network = plugins.encoders.card("kaiko-s16").network
    assert network
    torch.manual_seed(0)
    made = timm.create_model(network.architecture, num_classes=0, img_size=224)
    save_file(made.state_dict(), tmp_path / "s16.safetensors")
    encoder = plugins.encoders.create("kaiko-s8", {"weights": tmp_path / "s16.safetensors"})
    with pytest.raises(WeightsError, match=r"s16\.safetensors does not fit the architecture: it has another shape in"):
        encoder.embed(tiles(224))


def test_the_file_a_network_is_built_from_decides_the_recipe(tmp_path: Path) -> None:
    encoder_card = card()
    write(encoder_card, tmp_path / "a.safetensors", seed=1)
    write(encoder_card, tmp_path / "b.safetensors", seed=2)
    (tmp_path / "copy").write_bytes((tmp_path / "a.safetensors").read_bytes())
    keys = [create(encoder_card, tmp_path / name).recipe.key for name in ("a.safetensors", "b.safetensors", "copy")]
    assert keys[0] == keys[2] != keys[1]


def test_a_published_file_is_known_by_its_checksum(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    check_sha256(tmp_path / "w.bin", digest, digest)
    check_sha256(tmp_path / "w.bin", digest, "")
    message = rf"(?m)its sha256 is {digest[:12]}\.\.\., not 000000000000\.\.\.$"
    with pytest.raises(WeightsError, match=message) as refusal:
        check_sha256(tmp_path / "w.bin", digest, "0" * 64)
    assert str(tmp_path / "w.bin") in refusal.value.hint


def test_a_card_without_a_network_is_refused() -> None:
    with pytest.raises(EncoderError, match="the card of 'small' has no network"):
        HubEncoder(HubEncoder.Options(), card=replace(card(), network=None))
