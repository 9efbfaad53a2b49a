"""The components; heavy imports are allowed here."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from mylab_spacrd.plugin import RECIPE
from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch, Dims, neighbourhood_mean
from spacrd_core.errors import CountsError
from spacrd_core.model.head import Head, Phase
from spacrd_core.section.section import ImageInputs, Recognition, Section, Source


class MyLab:
    class Options(ComponentOptions):
        um_per_px: PositiveFloat = 0.5

    def __init__(self, options: Options) -> None:
        self.um_per_px = options.um_per_px

    def recognises(self, path: Path) -> Recognition:
        return Recognition(path.name.endswith(".mylab.csv"), "its name does not end in .mylab.csv")

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        source = Source.from_path("counts", path)
        try:
            table = pd.read_csv(path, index_col="spot")
            counts = table.drop(columns=["x_px", "y_px"])
        except (OSError, ValueError, KeyError) as error:
            raise CountsError(
                f"{path.name} is not a spot table: {error}", hint="columns spot, x_px, y_px, genes"
            ) from error
        spots = table[["x_px", "y_px"]].assign(x_um=table.x_px * self.um_per_px, y_um=table.y_px * self.um_per_px)
        genes = pd.DataFrame({"symbol": counts.columns, "gene_id": ""}, index=counts.columns)
        data = ad.AnnData(csr_matrix(counts.to_numpy(np.int32)), spots.set_axis(table.index.astype(str)), genes)
        return Section("mylab", data, self.um_per_px, 55.0, "disc", 100.0, sources=(source,))


class Colour:
    class Options(ComponentOptions):
        gamma: PositiveFloat = 1.0

    recipe = RECIPE

    def __init__(self, options: Options) -> None:
        self.gamma = options.gamma

    def to(self, device: torch.device) -> Colour:
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        colours = (tiles.flatten(2).float() / 255) ** self.gamma
        return torch.cat([colours.mean(dim=2), colours.std(dim=2)], dim=1)


class Neighbours(Head):
    class Options(ComponentOptions):
        epochs: PositiveInt = 3

    options: Options

    def __init__(self, options: Options, *, dims: Dims) -> None:
        super().__init__(options, dims=dims)
        self.linear = nn.Linear(dims.genes + dims.image, 1)

    def curriculum(self) -> tuple[Phase, ...]:
        return (Phase("fit", self.options.epochs, learning_rate=0.01),)

    def losses(self, batch: Batch, phase: str) -> dict[str, Tensor]:
        labelled = batch.labelled
        loss = nn.functional.binary_cross_entropy_with_logits(
            self.score(batch)[labelled], batch.labels[labelled].float(), batch.weights[labelled]
        )
        return {"cross entropy": loss}

    def features(self, batch: Batch) -> Tensor:
        modalities = ((batch.genes, self.dims.genes), (batch.image, self.dims.image))
        rows = len(batch.neighbours)
        parts = [
            self.linear.weight.new_zeros(rows, width) if part is None else neighbourhood_mean(part, batch)
            for part, width in modalities
        ]
        return torch.cat(parts, dim=1)

    def classify(self, features: Tensor) -> Tensor:
        return self.linear(features)[:, 0]
