"""The weights of several trainings come in; one ONNX file whose outputs are the mean of theirs goes out.

`python -m pipeline.classifier.committee FOLDER FOLDER ... --out FOLDER`. Trainings that differ in nothing but their
seed err in different places, so that their mean errs less than either (Lakshminarayanan, Pritzel and Blundell, "Simple
and Scalable Predictive Uncertainty Estimation using Deep Ensembles", 2017). What they share - the embeddings and the
layers that training leaves as they are - is kept, and computed, once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

_OF_ONE = ("data_hash", "sentences", "settings", "versions", "device", "precision")  # what a card says of a training


class _Joined:
    """A graph that grows by one member after the other; a weight or step that is there already is taken from there."""

    def __init__(self) -> None:
        self.graph = GraphProto()
        self._weights: dict[tuple, str] = {}
        self._steps: dict[tuple, list[str]] = {}
        self._number = 0

    def add(self, graph: GraphProto) -> list[str]:
        """Add a member; return what its outputs are called in the whole."""
        names = {each.name: each.name for each in graph.input} | {"": ""}
        for weight in graph.initializer:
            array = numpy_helper.to_array(weight)
            key = (str(array.dtype), array.shape, array.tobytes())
            if key not in self._weights:
                self._weights[key] = self._new()
                self.graph.initializer.append(numpy_helper.from_array(array, self._weights[key]))
            names[weight.name] = self._weights[key]
        for node in graph.node:
            self._add_step(node, names)
        return [names[each.name] for each in graph.output]

    def _add_step(self, node: NodeProto, names: dict[str, str]) -> None:
        inputs = [names[name] for name in node.input]
        settings = sorted(each.SerializeToString(deterministic=True) for each in node.attribute)
        key = (node.domain, node.op_type, tuple(inputs), tuple(settings), len(node.output))
        if key not in self._steps:
            self._steps[key] = [self._new() if name else "" for name in node.output]
            step = self.graph.node.add()
            step.CopyFrom(node)
            step.name = f"step{len(self.graph.node)}"
            del step.input[:], step.output[:]
            step.input.extend(inputs)
            step.output.extend(self._steps[key])
        names.update(zip(node.output, self._steps[key], strict=True))

    def _new(self) -> str:
        self._number += 1
        return f"v{self._number}"


def join(models: Sequence[ModelProto]) -> ModelProto:
    """Return a model whose outputs are the means of those of models with the same inputs and outputs.

    Raises ValueError where these differ.
    """
    first = models[0]
    ports = [[each.name for each in (*model.graph.input, *model.graph.output)] for model in models]
    if any(other != ports[0] for other in ports):
        raise ValueError(f"The models have different inputs or outputs: {ports}")
    joined = _Joined()
    outputs = [joined.add(model.graph) for model in models]
    whole = joined.graph
    whole.name = "committee"
    whole.input.extend(first.graph.input)
    whole.output.extend(first.graph.output)
    for port, parts in zip(first.graph.output, zip(*outputs, strict=True), strict=True):
        whole.node.append(helper.make_node("Mean", list(parts), [port.name], name=f"mean_{port.name}"))
    made = helper.make_model(whole, opset_imports=list(first.opset_import), ir_version=first.ir_version)
    onnx.checker.check_model(made)
    return made


def join_folders(folders: Sequence[Path], out: Path) -> None:
    """Join the weights in folders, as the trainer writes them, into one such folder."""
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(join([onnx.load(folder / "model.onnx") for folder in folders]), out / "model.onnx")
    cards = [json.loads((folder / "card.json").read_text(encoding="utf-8")) for folder in folders]
    card = cards[0] | {"members": [{key: each[key] for key in _OF_ONE} for each in cards]}
    (out / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in ("tokenizer.json", "documents.json"):
        if (folders[0] / name).exists():
            shutil.copyfile(folders[0] / name, out / name)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.classifier.committee", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of weights, as the trainer writes them")
    parser.add_argument("--out", type=Path, required=True, help="folder for the joined weights")
    arguments = parser.parse_args(argv)
    if missing := [str(folder) for folder in arguments.folders if not (folder / "model.onnx").is_file()]:
        print(f"There are no weights (model.onnx) in {', '.join(missing)}.", file=sys.stderr)
        return 2
    try:
        join_folders(arguments.folders, arguments.out)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in arguments.out.iterdir())
    print(f"Wrote {arguments.out}: {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
