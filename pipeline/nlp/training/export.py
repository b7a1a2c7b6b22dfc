"""Exports a trained model for `pipeline.nlp.classifier`: int8 ONNX, word table and heads as npz, tokenizer and card.

Plain int8 damages the encoder: a few features of its states are much larger than the rest. So the inputs of each linear
layer are scaled by feature before quantization, and its weights inversely (Xiao et al. 2023, "SmoothQuant").
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.nlp.training.data import LabelledWindow
from pipeline.nlp.training.encoder import (
    FIRST_PLACE,
    HEADS,
    WIDTH,
    EncoderLayer,
    JointModel,
    distance_bucket,
    join_heads,
    split_heads,
    to_tensors,
)

FILES = ("encoder.onnx", "words.npz", "heads.npz", "tokenizer.json", "card.json")
SMOOTHING = 0.75  # share of the range of a feature that moves from the inputs to the weights
MOST_TOKENS = 512  # of a window
_LINEAR = ("q", "k", "v", "o", "f1", "f2")  # the linear parts of an encoder layer
_SMALLEST = 1e-5  # least range of a feature
_LEAST_FACTOR = 1e-3
_OPSET = 17


class _Smoothed(nn.Module):
    """A linear layer with its inputs divided, and its weights multiplied, by a factor for each feature."""

    def __init__(self, linear: nn.Linear, largest: Tensor) -> None:
        super().__init__()
        weight = linear.weight.detach()
        range_of_weight = weight.abs().amax(0).clamp(min=_SMALLEST)
        factor = largest.clamp(min=_SMALLEST) ** SMOOTHING / range_of_weight ** (1 - SMOOTHING)
        factor = factor.clamp(min=_LEAST_FACTOR)
        self.register_buffer("inverse", 1 / factor)
        self.register_buffer("weight", (weight * factor).T.contiguous())
        self.register_buffer("bias", linear.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        return torch.matmul(x * self.inverse, self.weight) + self.bias


class _Graph(nn.Module):
    """Takes summed embeddings [1, tokens, WIDTH] without padding; returns the states and the logits of the types."""

    def __init__(self, model: JointModel) -> None:
        super().__init__()
        self.encoder, self.kind = model.enc, model.kind
        distances = distance_bucket(torch.arange(-MOST_TOKENS, MOST_TOKENS + 1))
        self.register_buffer("bias", model.enc.rel.weight.detach()[distances])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.encoder.norm(x)
        tokens = torch.arange(x.shape[1])
        bias = self.bias[(tokens[None] - tokens[:, None]) + MOST_TOKENS].permute(2, 0, 1)[None]
        for layer in self.encoder.layers:
            query, key, value = (split_heads(part(x)) for part in (layer.q, layer.k, layer.v))
            scores = query @ key.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5 + bias
            x = layer.n1(x + layer.o(join_heads(torch.softmax(scores, -1) @ value)))
            x = layer.n2(x + layer.f2(functional.gelu(layer.f1(x))))
        return x, self.kind(x)


def export(
    model: JointModel, windows: Sequence[LabelledWindow], tokenizer: Path, card: dict[str, Any], out: Path
) -> None:
    """Write a model to a folder as FILES.

    Args:
        model: The trained model; it is left as it is.
        windows: Some training windows, on which the range of each feature is measured.
        tokenizer: The tokenizer.json of the base weights.
        card: The model card.
        out: The folder, made if it is missing.
    """
    out.mkdir(parents=True, exist_ok=True)
    model = deepcopy(model).cpu().float().eval()
    _write_words(model, out / "words.npz")
    heads = {
        name: value.numpy().astype(np.float16)
        for name, value in model.state_dict().items()
        if not name.startswith(("enc.", "kind."))
    }
    np.savez(out / "heads.npz", **heads)
    _smooth(model, windows)
    _write_onnx(_Graph(model).eval(), out)
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    (out / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_words(model: JointModel, file: Path) -> None:
    """Write the embeddings: words as int8 with a scale for each, positions and segments."""
    encoder = model.enc
    table = encoder.word.weight.detach()
    scale = table.abs().amax(1).clamp(min=1e-6) / 127
    np.savez(
        file,
        table=(table / scale[:, None]).round().to(torch.int8).numpy(),
        scale=scale.numpy().astype(np.float16),
        places=encoder.pos.weight.detach()[FIRST_PLACE:].numpy().astype(np.float16),
        segments=encoder.seg.weight.detach().numpy(),
    )


def _smooth(model: JointModel, windows: Sequence[LabelledWindow]) -> None:
    """Replace the linear layers of the encoder by smoothed ones."""
    largest: dict[nn.Module, Tensor] = {}

    def record(layer: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        found = inputs[0].abs().flatten(0, 1).amax(0)
        largest[layer] = torch.maximum(largest[layer], found) if layer in largest else found

    layers: list[EncoderLayer] = list(model.enc.layers)
    hooks = [getattr(layer, name).register_forward_hook(record) for layer in layers for name in _LINEAR]
    with torch.no_grad():
        for window in windows:
            ids, segments, _ = to_tensors([window], torch.device("cpu"))
            model.enc(ids, segments)
    for hook in hooks:
        hook.remove()
    for layer in layers:
        for name in _LINEAR:
            linear = getattr(layer, name)
            setattr(layer, name, _Smoothed(linear, largest[linear]))


def _write_onnx(graph: _Graph, out: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    full, names = out / "full.onnx", ("x", "states", "scores")
    torch.onnx.export(
        graph,
        (torch.randn(1, 20, WIDTH),),
        str(full),
        input_names=["x"],
        output_names=["states", "scores"],
        dynamic_axes={name: {1: "tokens"} for name in names},
        opset_version=_OPSET,
        dynamo=False,
    )
    quantize_dynamic(full, out / "encoder.onnx", weight_type=QuantType.QInt8, per_channel=True)
    full.unlink()
