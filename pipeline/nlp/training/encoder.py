"""The event model in PyTorch: an MPNet encoder with joint heads for types, attributes, pointers and same events.

The encoder holds the lowest layers of all-mpnet-base-v2 (Apache-2.0), written out here so that training needs no model
library. Only training and export import this module. Parameter names are those of the exported heads.npz, which
`pipeline.nlp.classifier.runtime` reads, and of checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from pipeline.nlp.classifier.runtime import ATTRIBUTES, POINTERS
from pipeline.nlp.classifier.windows import PAD
from pipeline.nlp.training.base_weights import WEIGHTS, base_folder
from pipeline.nlp.training.data import LabelledWindow
from pipeline.records import EVENT_TYPES

WIDTH, HEADS, INNER, WORDS, PLACES, SEGMENTS = 768, 12, 3072, 30527, 514, 4
FIRST_PLACE = 2  # position of the first token; 0 and 1 are unused
BUCKETS, FARTHEST = 32, 128  # of relative positions; from FARTHEST tokens on all distances share a bucket
REACH = 256  # width of the network that scores pointers
FAR = 64  # tokens from a trigger from which on pointers do not tell distances apart
EVENT = 128  # width of the vector that says which triggers name one event
DROPOUT = 0.1
_MASKED = -1e4  # added to the attention to padding
_MULTIPLE = 16  # batches are padded to a multiple of this number of tokens
# Initial biases: at first almost no word is a trigger and no token is pointed to.
_TYPE_BIAS, _POINTER_BIAS = -6.0, -4.0
_SAME_EVENT = (0.0, 2.0)  # bias, and logarithm of the factor of the cosine

# Names of parameters in all-mpnet-base-v2 -> names here.
_EMBEDDING_NAMES = {
    "embeddings.word_embeddings": "word",
    "embeddings.position_embeddings": "pos",
    "embeddings.LayerNorm": "norm",
    "encoder.relative_attention_bias": "rel",
}
_LAYER_NAMES = {
    "attention.attn.q": "q",
    "attention.attn.k": "k",
    "attention.attn.v": "v",
    "attention.attn.o": "o",
    "attention.LayerNorm": "n1",
    "intermediate.dense": "f1",
    "output.dense": "f2",
    "output.LayerNorm": "n2",
}


class EncoderLayer(nn.Module):
    """One transformer layer: attention (q, k, v, o, n1) and feed-forward (f1, f2, n2), each with a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.n1 = nn.LayerNorm(WIDTH, eps=1e-5)
        self.f1, self.f2 = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.n2 = nn.LayerNorm(WIDTH, eps=1e-5)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        query, key, value = (split_heads(part(x)) for part in (self.q, self.k, self.v))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        x = self.n1(x + _drop(self.o(join_heads(mixed)), self.training))
        return self.n2(x + _drop(self.f2(functional.gelu(self.f1(x))), self.training))


def split_heads(x: Tensor) -> Tensor:
    """Turn [n, tokens, WIDTH] into [n, HEADS, tokens, WIDTH / HEADS]."""
    return x.view(x.shape[0], -1, HEADS, WIDTH // HEADS).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """Undo `split_heads`."""
    return x.transpose(1, 2).reshape(x.shape[0], -1, WIDTH)


def _drop(x: Tensor, training: bool) -> Tensor:
    """Dropout of whole features of a window, which costs less than a choice for each token."""
    if not training:
        return x
    kept = torch.rand(x.shape[0], 1, x.shape[2], device=x.device) > DROPOUT
    return x * kept.to(x.dtype) * (1 / (1 - DROPOUT))


def distance_bucket(distance: Tensor) -> Tensor:
    """Return the bucket of each distance (key minus query, in tokens): exact when near, logarithmic farther off."""
    half = BUCKETS // 2
    exact = half // 2
    size = distance.abs()
    far = exact + (torch.log(size.float().clamp(min=1) / exact) / math.log(FARTHEST / exact) * (half - exact)).long()
    return (distance > 0).long() * half + torch.where(size < exact, size, far.clamp(max=half - 1))


class Encoder(nn.Module):
    """MPNet with embeddings of words, positions and segments (new: title, context or own sentence)."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.word = nn.Embedding(WORDS, WIDTH, padding_idx=PAD)
        self.pos = nn.Embedding(PLACES, WIDTH)
        self.seg = nn.Embedding(SEGMENTS, WIDTH)
        nn.init.zeros_(self.seg.weight)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-5)
        self.rel = nn.Embedding(BUCKETS, HEADS)
        self.layers = nn.ModuleList(EncoderLayer() for _ in range(layers))

    def forward(self, ids: Tensor, segments: Tensor) -> Tensor:
        """Return the state of each token, [n, tokens, WIDTH]. `ids` and `segments` are [n, tokens]."""
        tokens = torch.arange(ids.shape[1], device=ids.device)
        x = _drop(self.norm(self.word(ids) + self.pos(tokens + FIRST_PLACE) + self.seg(segments)), self.training)
        buckets = distance_bucket(tokens[None] - tokens[:, None])
        near = self.rel.weight.detach()[buckets].permute(2, 0, 1)[None]  # [1, HEADS, tokens, tokens]
        bias = (near + torch.where((ids != PAD)[:, None, None, :], 0.0, _MASKED)).to(x.dtype)
        for layer in self.layers:
            x = layer(x, bias)
        return x

    def load_base(self) -> None:
        """Load the lowest layers of the base weights.

        Raises:
            FileNotFoundError: the base weights are missing; see `base_weights.base_folder`.
        """
        found = {}
        for name, value in load_file(base_folder() / WEIGHTS).items():
            module, _, kind = name.rpartition(".")
            if module in _EMBEDDING_NAMES:
                found[f"{_EMBEDDING_NAMES[module]}.{kind}"] = value
            elif module.startswith("encoder.layer."):
                number, _, part = module.removeprefix("encoder.layer.").partition(".")
                if int(number) < len(self.layers):
                    found[f"layers.{number}.{_LAYER_NAMES[part]}.{kind}"] = value
        result = self.load_state_dict(found, strict=False)
        if result.missing_keys != ["seg.weight"]:
            raise ValueError(f"The base weights lack {result.missing_keys}; all-mpnet-base-v2 is expected.")


class JointModel(nn.Module):
    """The encoder with its heads.

    For each token: logits of the event types (`kind`). For each trigger: attributes (`attrs`), pointers and the event
    vector (`event`), all from the state of the trigger and the mean state of its sentence, with the type added
    (`trig`, `ty`). Pointers are scored (`po`) from the trigger (`pt`), the other token (`px`) and their distance
    (`pd`). Two triggers of a document name the same event with the logit eb[0] + exp(eb[1]) * cosine of their event
    vectors.
    """

    def __init__(self, layers: int = 9) -> None:
        super().__init__()
        self.enc = Encoder(layers)
        self.kind = nn.Sequential(
            nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(WIDTH, len(EVENT_TYPES))
        )
        self.trig = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.GELU(), nn.Dropout(DROPOUT))
        self.ty = nn.Embedding(len(EVENT_TYPES), WIDTH)
        self.attrs = nn.Linear(WIDTH, sum(ATTRIBUTES.values()))
        self.pt, self.px = nn.Linear(WIDTH, REACH), nn.Linear(WIDTH, REACH, bias=False)
        self.pd = nn.Embedding(2 * FAR + 1, REACH)
        self.po = nn.Linear(REACH, len(POINTERS))
        self.event = nn.Linear(WIDTH, EVENT)
        self.eb = nn.Parameter(torch.tensor(_SAME_EVENT))
        nn.init.zeros_(self.pd.weight)
        nn.init.constant_(self.po.bias, _POINTER_BIAS)
        nn.init.constant_(self.kind[-1].bias, _TYPE_BIAS)

    def states(self, ids: Tensor, segments: Tensor) -> Tensor:
        """Return the states of the tokens in float32, in which the heads work."""
        return self.enc(ids, segments).float()

    def read_triggers(
        self, states: Tensor, window: Tensor, token: Tensor, type_: Tensor, sentence: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Read n triggers, given by the numbers of their window, token and type, each [n].

        `sentence` holds the first and the last token (exclusive) of the sentence of each trigger, [n, 2].

        Returns:
            Logits of the attributes [n, sum of ATTRIBUTES], logits of the pointers [n, len(POINTERS), tokens], and
            event vectors [n, EVENT], not normalised.
        """
        tokens = torch.arange(states.shape[1], device=states.device)
        inside = ((tokens >= sentence[:, :1]) & (tokens < sentence[:, 1:])).to(states.dtype)  # [n, tokens]
        around = torch.einsum("nt,ntw->nw", inside / inside.sum(1, keepdim=True), states[window])
        trigger = self.trig(torch.cat([states[window, token], around], -1)) + self.ty(type_)
        distances = (tokens[None] - token[:, None]).clamp(-FAR, FAR) + FAR
        pairs = self.pt(trigger)[:, None] + self.px(states)[window] + self.pd(distances)  # [n, tokens, REACH]
        pointers = self.po(functional.gelu(pairs)).transpose(1, 2)
        return self.attrs(trigger), pointers, self.event(trigger)


def to_tensors(windows: Sequence[LabelledWindow], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids, segments, and whether a token belongs to an own sentence, each [n, tokens], padded."""
    size = -(-max(len(each.ids) for each in windows) // _MULTIPLE) * _MULTIPLE
    ids = torch.full((len(windows), size), PAD)
    segments = torch.zeros_like(ids)
    own = torch.zeros_like(ids, dtype=torch.bool)
    for row, each in enumerate(windows):
        ids[row, : len(each.ids)] = torch.tensor(each.ids)
        segments[row, : len(each.ids)] = torch.tensor(each.segments)
        for start, end in each.own:
            own[row, start:end] = True
    return ids.to(device), segments.to(device), own.to(device)
