"""The command `evaluate`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.common import lexicon_of, plain_errors, settings_of
from pipeline.commands.documents import read_into
from pipeline.commands.inputs import read_documents
from pipeline.commands.output import Progress, json_option, say_json
from pipeline.errors import WrongUse
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder

if TYPE_CHECKING:
    from pipeline.evaluation.ablation import Runs
    from pipeline.evaluation.groups import Groups

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("texts", required=False, type=_FOLDER)
@click.argument("gold", required=False, type=_FOLDER)
@click.option(
    "--predicted", type=_FOLDER, help="Folder of claims from `oversight claims`; by default they are extracted now."
)
@click.option(
    "--folds",
    type=_FOLDER,
    help="Folder of weights by fold; each document is read with weights that have not seen it, and the figures are "
    "shown by fold too.",
)
@click.option("--ablate", is_flag=True, help="With --folds: measure too what each part of the pipeline is worth.")
@click.option("--show", default=0, help="Number of errors to show.")
@click.option(
    "--store",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures to this file, with date, data hash and program version.",
)
@click.option("--title", default="", help="With --store: short description of the data.")
@click.option(
    "--note", default="", help="With --store: which of these documents the program had already seen, and how."
)
@json_option
@click.pass_obj
def evaluate(
    folder: DataFolder,
    texts: Path | None,
    gold: Path | None,
    predicted: Path | None,
    folds: Path | None,
    ablate: bool,
    show: int,
    store: Path | None,
    title: str,
    note: str,
    as_json: bool,
) -> None:
    """Score the claims extracted from the documents in TEXTS against the annotations in GOLD.

    Without TEXTS and GOLD, score the articles of the invented newsroom. With --folds, score only documents that belong
    to a fold.
    """
    from pipeline.accuracy.stored import HELD_OUT, IN_SAMPLE, NEWSROOM
    from pipeline.commands.operate.demo import demo_lexicon
    from pipeline.newsroom.answers import write_documents

    if (texts is None) != (gold is None):
        raise WrongUse("Give both TEXTS and GOLD, or neither.")
    if ablate and (folds is None or predicted is not None):
        raise WrongUse("--ablate reads the documents again without each part: give --folds, and not --predicted.")
    settings = settings_of(folder)
    lexicon = lexicon_of(settings)
    note = note or (HELD_OUT if folds else IN_SAMPLE if texts else NEWSROOM)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if texts is None or gold is None:
            texts, gold, lexicon = scratch / "texts", scratch / "gold", (*lexicon, demo_lexicon())
            write_documents(texts, gold)
        scoring = _Scoring(texts, gold, folds, lexicon, settings.least_confidence)
        figures, table, errors = scoring.score(predicted, scratch / "found", ablate)
        if store:
            scoring.store(store, figures, note=note, title=title)
    if as_json:
        say_json(figures)
        return
    click.echo(table)
    for line in errors[:show]:
        click.echo(line)


class _Scoring:
    """Scores predictions for a folder of annotated documents, by fold if there are folds."""

    def __init__(self, texts: Path, gold: Path, folds: Path | None, lexicon: Sequence[Path], least: float) -> None:
        from pipeline.evaluation.documents import default_confidence, held_out

        self.texts, self.gold, self.folds, self.lexicon, self.least = texts, gold, folds, tuple(lexicon), least
        places = held_out(folds) if folds else {}
        self.fold_of = {id_: place.name for id_, place in places.items()}
        self.shown_from = {place.name: default_confidence(place) for place in set(places.values())}
        self.only = self._in_folds() if folds else None

    def _in_folds(self) -> set[str]:
        """Return the ids of the annotated documents that belong to a fold, and report how many do not."""
        names = {path.stem for path in self.gold.glob("*.json")}
        found = names & self.fold_of.keys()
        if not found:
            raise WrongUse(
                f"{self.folds}: no fold names a document of {self.gold}. Create the folds from the same documents."
            )
        if left := len(names - found):
            click.echo(f"Skipped {count_words(left, 'document')} outside every fold.", err=True)
        return found

    def score(self, predicted: Path | None, scratch: Path, ablate: bool) -> tuple[dict[str, Any], str, Sequence[Any]]:
        """Return the figures, the same as a text, and the mistakes; `scratch`: a new folder for claims read now."""
        from pipeline.evaluation.ablation import ablation_table
        from pipeline.evaluation.folds import fold_figures
        from pipeline.evaluation.metrics import evaluate, load_json

        runs = None
        if predicted is None:
            predicted = scratch
            runs = self._read(scratch, ablate)
        report = evaluate(
            self.texts, self.gold, predicted, self.only, shown_from=self._shown_from, groups=self._groups()
        )
        figures = report.as_dict()
        if self.folds:
            figures["folds"] = fold_figures(report.tallies, self.fold_of).as_dict()
        if runs is not None:
            gold = {id_: load_json(self.gold / f"{id_}.json") for id_ in report.tallies}
            figures["ablation"] = ablation_table(runs, report.tallies, gold, self.fold_of, self._shown_from)
        return figures, _text(report.as_table(), figures), report.errors

    def _shown_from(self, id_: str) -> float:
        return self.shown_from[self.fold_of[id_]] if self.folds else self.least

    def _read(self, out: Path, ablate: bool) -> Runs | None:
        """Extract the claims of the documents into a folder; with `ablate`, return what was found without each part."""
        if not ablate or self.folds is None or self.only is None:
            read_into(self.texts, out, self.lexicon, 0.0, self.folds, self.only, temporary=True)
            return None
        from pipeline.evaluation.ablation import read_without
        from pipeline.evaluation.documents import exchange_rows

        documents = read_documents([self.texts / f"{id_}.json" for id_ in sorted(self.only)])
        progress = Progress()
        out.mkdir()
        with plain_errors():
            runs = read_without(documents, self.folds, self.lexicon, progress)
            for row in exchange_rows(runs.read, self.lexicon):
                (out / f"{row['id']}.json").write_text(json.dumps(row, ensure_ascii=False))
        progress.done(f"Read {count_words(len(documents), 'document')} with and without each part.")
        return runs

    def _groups(self) -> Callable[[str, dict[str, Any]], Groups] | None:
        if not self.folds:
            return None
        from pipeline.evaluation.groups import groups_of, seen_triggers
        from pipeline.evaluation.metrics import load_json
        from pipeline.nlp.training.corpus import read_corpus

        gold = {path.stem: load_json(path) for path in self.gold.glob("*.json")}
        seen = seen_triggers(gold, read_corpus().examples, self.fold_of)
        return lambda id_, document: groups_of(document, seen[self.fold_of[id_]])

    def store(self, file: Path, figures: dict[str, Any], *, note: str, title: str) -> None:
        """Write the figures to a file."""
        from pipeline.accuracy.stored import hash_of, store

        files = [
            p
            for p in (*self.texts.glob("*.json"), *self.gold.glob("*.json"))
            if self.only is None or p.stem in self.only
        ]
        store(file, figures, note=note, title=title, data_hash=hash_of(files), least_confidence=self.least)


def _text(table: str, figures: dict[str, Any]) -> str:
    """Return the whole report for a terminal: the figures over all documents, by fold, and without each part."""
    from pipeline.accuracy.table import ablation_rows, fold_rows

    parts = [table, *(_aligned(rows) for rows in (fold_rows(figures), ablation_rows(figures)) if rows)]
    return "\n\n".join(parts)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    )
