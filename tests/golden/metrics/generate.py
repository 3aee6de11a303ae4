"""Writes spans.json and classification.json: what seqeval and scikit-learn make of given labels.

    pip install seqeval && python generate.py
"""
import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support
from sklearn.metrics import accuracy_score, f1_score
from sklearn.metrics import precision_recall_fscore_support as label_scores

warnings.filterwarnings("ignore")
HERE = Path(__file__).parent
VERSIONS = {
    "python": sys.version.split()[0],
    "seqeval": version("seqeval"),
    "scikit-learn": version("scikit-learn"),
    "numpy": numpy.__version__,
}
rng = numpy.random.default_rng(20)


def rows(scores, labels):
    return [
        {"label": label, "precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for label, p, r, f, n in zip(labels, *scores)
    ]


def valid_bio(length, types):
    tags = []
    while len(tags) < length:
        if rng.random() < 0.5:
            tags.append("O")
        else:
            kind = rng.choice(types)
            tags += [f"B-{kind}"] + [f"I-{kind}"] * int(rng.integers(0, 3))
    return tags[:length]


def any_tags(length, alphabet):
    return [str(tag) for tag in rng.choice(alphabet, size=length)]


def noisy(tags, alphabet):
    return [str(rng.choice(alphabet)) if rng.random() < 0.25 else tag for tag in tags]


def span_case(name, gold, predicted):
    p, r, f, n = precision_recall_fscore_support(gold, predicted, average="micro", zero_division=0)
    each = precision_recall_fscore_support(gold, predicted, average=None, zero_division=0)
    spans = [[[t, int(s), int(e) + 1] for t, s, e in get_entities(tags)] for tags in predicted]
    labels = sorted({t for tags in (*gold, *predicted) for t, _, _ in get_entities(tags)})
    return {
        "name": name,
        "gold": gold,
        "predicted": predicted,
        "predictedSpans": spans,
        "expected": {
            "precision": float(p),
            "recall": float(r),
            "f1": float(f),
            "support": int(n),
            "perLabel": rows(each, labels),
        },
    }


def span_cases():
    types = ["LOC", "ORG", "creative-work"]
    bio = ["O", "O"] + [f"{p}-{t}" for t in types for p in "BI"]
    iobes = ["O", "O"] + [f"{p}-{t}" for t in types[:2] for p in "BIES"]
    cases = []
    for number in range(20):
        lengths = rng.integers(1, 15, size=int(rng.integers(1, 6)))
        gold = [valid_bio(n, types) for n in lengths]
        cases.append(span_case(f"valid gold, noisy prediction {number}", gold, [noisy(t, bio) for t in gold]))
        gold = [any_tags(n, bio) for n in lengths]
        cases.append(span_case(f"invalid BIO {number}", gold, [noisy(t, bio) for t in gold]))
        gold = [any_tags(n, iobes) for n in lengths]
        cases.append(span_case(f"invalid IOBES {number}", gold, [noisy(t, iobes) for t in gold]))
    bare = ["O", "B", "I", "E", "S"]
    cases.append(span_case("no types", [any_tags(12, bare)], [any_tags(12, bare)]))
    cases.append(span_case("all right", [["B-LOC", "I-LOC", "O"]], [["B-LOC", "I-LOC", "O"]]))
    cases.append(span_case("all wrong", [["B-LOC", "I-LOC", "O"]], [["O", "B-LOC", "O"]]))
    cases.append(span_case("nothing gold", [["O", "O", "O"]], [["O", "B-LOC", "O"]]))
    cases.append(span_case("nothing predicted", [["O", "B-LOC", "O"]], [["O", "O", "O"]]))
    return cases


def classification_case(name, gold, predicted):
    labels = sorted({*gold, *predicted})
    return {
        "name": name,
        "gold": gold,
        "predicted": predicted,
        "expected": {
            "accuracy": float(accuracy_score(gold, predicted)),
            "macroF1": float(f1_score(gold, predicted, average="macro", zero_division=0)),
            "support": len(gold),
            "perLabel": rows(label_scores(gold, predicted, labels=labels, zero_division=0), labels),
        },
    }


def classification_cases():
    cases = []
    for number in range(12):
        labels = [f"label {i}" for i in range(int(rng.integers(1, 12)))]
        gold = any_tags(int(rng.integers(1, 60)), labels)
        cases.append(classification_case(f"random {number}", gold, noisy(gold, labels)))
    cases.append(classification_case("only predicted", ["a", "a", "b"], ["a", "c", "c"]))
    gold, predicted = ["__proto__", "constructor"], ["__proto__", "toString"]
    cases.append(classification_case("names of Object.prototype", gold, predicted))
    return cases


def write(name, cases):
    head = json.dumps({"versions": VERSIONS})[:-1]
    body = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (HERE / name).write_text(f'{head},\n"cases":[\n{body}\n]}}\n', encoding="utf-8")
    print(len(cases), name)


write("spans.json", span_cases())
write("classification.json", classification_cases())
