"""Where a network looked, as a page of HTML or a picture: sentences in rows, hops in columns, the answer below."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from percept.core.files import replacing, write_atomic
from percept.nlp.qa.decode import ranked

ROWS = 40  # sentences shown; of longer stories those that were looked at most
_STYLE = """body{font:15px/1.4 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:.5em 0 1.5em}td,th{padding:.15em .6em;text-align:left}
th{font-weight:600;color:#555}td.w{min-width:3em;text-align:right;font-variant-numeric:tabular-nums}
.a{font-weight:600}.n{color:#777}"""

Shown = tuple[Sequence[str], str, Sequence[str], Tensor, Tensor]  # sentences, question, words, scores, looked


def page(path: Path, stories: Sequence[Shown]) -> None:
    """Write a page from what a network made of some questions: scores (P, V) and looked (K, S), the newest first."""
    parts = []
    for sentences, question, words, scores, looked in stories:
        best, probability = ranked(scores, 1.0, 1)[0]
        answer = ",".join(words[number] for number in best)
        parts.append(section(sentences, question, answer, probability, by_sentence(looked, len(sentences))))
    write_atomic(path, document(parts))


def by_sentence(looked: Tensor, count: int) -> list[list[float]]:
    """(K, S) weights, the newest sentence first -> for each hop the weight of each of ``count`` sentences, as told."""
    kept = looked[:, :count].flip(1).tolist()  # the oldest first
    return [[0.0] * (count - len(hop)) + hop for hop in kept]  # older ones were forgotten


def document(sections: Sequence[str]) -> str:
    """A whole page of HTML."""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>percept qa</title><style>{_STYLE}</style>'
    return f"{head}<body>{''.join(sections)}</body></html>\n"


def section(
    sentences: Sequence[str], question: str, answer: str, probability: float, hops: Sequence[Sequence[float]]
) -> str:
    """The table of one question."""
    head = "".join(f"<th>hop {number}</th>" for number in range(1, len(hops) + 1))
    rows = []
    for at in most_seen(hops, len(sentences)):
        cells = "".join(
            f'<td class="w" style="background:rgba(30,110,200,{min(1, hop[at]):.3f})">{_share(hop[at])}</td>'
            for hop in hops
        )
        rows.append(f'<tr><td class="n">{at + 1}</td><td>{html.escape(sentences[at])}</td>{cells}</tr>')
    said = (
        f'{html.escape(question)} <span class="a">{html.escape(answer)}</span> <span class="n">{probability:.2f}</span>'
    )
    return f"<p>{said}</p><table><tr><th></th><th>sentence</th>{head}</tr>{''.join(rows)}</table>"


def most_seen(hops: Sequence[Sequence[float]], count: int) -> list[int]:
    """The sentences to show, in order: all, or of many those that some hop looked at most."""
    if count <= ROWS:
        return list(range(count))
    weight = [max((hop[at] for hop in hops), default=0.0) for at in range(count)]
    return sorted(sorted(range(count), key=lambda at: -weight[at])[:ROWS])


def _share(weight: float) -> str:
    return f"{weight:.2f}" if weight >= 0.005 else ""


def picture(
    path: Path,
    sentences: Sequence[str],
    question: str,
    answer: str,
    probability: float,
    hops: Sequence[Sequence[float]],
) -> None:
    """Write the same as a picture; the suffix chooses the format."""
    from matplotlib.figure import Figure

    shown = most_seen(hops, len(sentences))
    figure = Figure(figsize=(7.5, 1.2 + 0.28 * len(shown)), layout="constrained")
    axes = figure.subplots()
    grid = [[hop[at] for hop in hops] for at in shown] or [[0.0] * len(hops)]
    axes.imshow(grid, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(hops)), [f"hop {number}" for number in range(1, len(hops) + 1)], fontsize=8)
    axes.set_yticks(range(len(shown)), [f"{at + 1}  {sentences[at]}" for at in shown], fontsize=8, parse_math=False)
    axes.set_title(f"{question}  {answer}  ({probability:.2f})", fontsize=9, loc="right", parse_math=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
