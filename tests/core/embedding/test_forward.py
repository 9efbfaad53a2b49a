from typing import Self

import numpy as np
import pytest
import torch
from torch import Tensor

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding.forward import choose_precision, run_encoder, tiles_from_windows
from spacrd_core.errors import ConfigError, EncoderError
from spacrd_core.slide.patches import Windows

CPU = torch.device("cpu")
TILES = torch.full((4, 3, 8, 8), 100, dtype=torch.uint8)
BF16 = Recipe(input_px=8, um_per_px=1.0, dim=2, precision="bf16")


class Fixed:
    """An encoder that returns a fixed tensor."""

    Options = ComponentOptions
    recipe = BF16

    def __init__(self, embeddings: Tensor) -> None:
        self.embeddings = embeddings

    def to(self, device: torch.device) -> Self:
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        return self.embeddings


def test_embeddings_are_float32_whatever_the_encoder_computes_in() -> None:
    values = torch.arange(8).reshape(4, 2).half()
    embeddings = run_encoder(Fixed(values), "fixed", TILES)
    assert embeddings.dtype == torch.float32
    assert torch.equal(embeddings, values.float())


@pytest.mark.parametrize("shape", [(4, 3), (3, 2), (5, 2), (4, 2, 1)], ids=str)
def test_an_encoder_that_breaks_its_recipe_is_named_with_both_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(EncoderError, match=r"embeddings of shape .* its recipe has \(4, 2\)") as caught:
        run_encoder(Fixed(torch.zeros(shape)), "fixed", TILES)
    assert caught.value.hint == "spacrd plugins check fixed"


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_matrix_products_are_in_the_requested_precision(precision: str, dtype: torch.dtype) -> None:
    seen: list[torch.dtype] = []

    class Product(Fixed):
        def embed(self, tiles: Tensor) -> Tensor:
            product = tiles.float()[:, 0] @ torch.ones(8, 2)
            seen.append(product.dtype)
            return product[:, 0]

    run_encoder(Product(torch.empty(0)), "product", TILES, precision=precision)
    assert seen == [dtype]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_cpu_computes_in_fp32_unless_another_precision_is_requested(precision: str) -> None:
    recipe = Recipe(input_px=8, um_per_px=1.0, dim=2, precision=precision)
    assert choose_precision("auto", recipe, CPU) == "fp32"
    assert choose_precision("bf16", recipe, CPU) == "bf16"


def test_cuda_computes_in_the_recipes_precision_where_it_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    assert choose_precision("auto", BF16, cuda) == "bf16"
    assert choose_precision("fp32", BF16, cuda) == "fp32"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    assert choose_precision("auto", BF16, cuda) == "fp32"
    with pytest.raises(ConfigError, match="cuda:0 does not support bf16") as caught:
        choose_precision("bf16", BF16, cuda)
    assert caught.value.hint == "--precision fp16 or fp32"


def test_a_recipe_of_an_unknown_precision_is_refused_on_cuda() -> None:
    odd = Recipe(input_px=8, um_per_px=1.0, dim=2, precision="fp8")
    with pytest.raises(EncoderError, match="unknown precision 'fp8'") as caught:
        choose_precision("auto", odd, torch.device("cuda"))
    assert caught.value.hint == "precisions are fp32, bf16, fp16"


@pytest.mark.parametrize("resize", ["triangle", "bicubic"])
def test_tiles_have_the_size_and_colour_an_encoder_wants(resize: str) -> None:
    pixels = np.full((3, 25, 25, 3), (10, 20, 30), dtype=np.uint8)
    windows = Windows(np.arange(3), pixels, np.full((3, 2), 4.5))
    tiles = tiles_from_windows(windows, side=16.0, input_px=8, device=CPU, resize=resize)
    assert (tiles.shape, tiles.dtype) == ((3, 3, 8, 8), torch.uint8)
    assert tiles[0, :, 4, 4].tolist() == [10, 20, 30]
