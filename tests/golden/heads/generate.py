"""Writes entities.json and classify.json: what Hugging Face transformers makes of given probabilities.

    pip install transformers numpy && python generate.py TOKENIZER_FOLDER   (a BERT tokenizer)

Probabilities are random, spiked so that words agree often; they are float32 values handed over as float64, so that
the only rounding is that of the means.
"""
import json
import sys
import types
from pathlib import Path

import numpy
import tokenizers
import transformers
from transformers import AutoTokenizer
from transformers.pipelines.text_classification import TextClassificationPipeline
from transformers.pipelines.token_classification import AggregationStrategy, TokenClassificationPipeline

HERE = Path(__file__).parent
STRATEGIES = ["none", "simple", "first", "average", "max"]
VERSIONS = {
    "python": sys.version.split()[0],
    "transformers": transformers.__version__,
    "tokenizers": tokenizers.__version__,
    "numpy": numpy.__version__,
}
rng = numpy.random.default_rng(20)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])

BIO = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"]
IO = ["O", "I-PER", "I-LOC"]
PLAIN = ["O", "person", "place", "creative-work"]
HYPHENS = ["O", "B-creative-work", "I-creative-work", "B-work", "I-work"]
IOBES = ["O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC", "E-LOC", "S-LOC"]
BILOU = ["O", "B-PER", "I-PER", "L-PER", "U-PER"]
# No label is called O: nothing is left out unless asked.
POS = ["NOUN", "VERB", "ADJ"]

TEXTS = [
    "Is the card Ana lost in Lisbon blocked ?",
    "Wolfgang Amadeus Mozart visited Gothenburg and Schleswig Holstein yesterday .",
    "Ana",
    "Ana  lost\n\ther Xylophonquartz , again",
    "Zoë 😀 Müller flew to São Tomé 🇵🇹 with 👩‍🚀 Kowalczyk",
    "naïve Ærøskøbing 𝒳 café Brontosauruspark (Texas) !",
    "photosynthesizing electroencephalographs",
]
# Here a word of the library and a word of the pipeline are not the same.
INNER = ["Mr O'Neill of the U.S. paid 5.99", "Lisbon cafe\u0301s"]


def utf16(text, position):
    return len(text[:position].encode("utf-16-le")) // 2


def probabilities(rows, classes, spike, tied):
    if tied:
        return numpy.full((rows, classes), 1 / classes, dtype=numpy.float32)
    logits = rng.normal(size=(rows, classes))
    favourite = rng.integers(classes)
    for row in range(rows):
        if rng.random() < 0.5:
            favourite = rng.integers(classes)
        logits[row, favourite] += spike
    exp = numpy.exp(logits)
    return (exp / exp.sum(axis=1, keepdims=True)).astype(numpy.float32)


def pipeline(labels):
    pipe = TokenClassificationPipeline.__new__(TokenClassificationPipeline)
    pipe.tokenizer = tokenizer
    pipe.model = types.SimpleNamespace(config=types.SimpleNamespace(id2label=dict(enumerate(labels))))
    return pipe


def plain(entity):
    return {k: v if isinstance(v, str) else float(v) if k == "score" else int(v) for k, v in entity.items()}


def case(name, text, labels, spike=3.0, ignore=("O",), tokens=None, tied=False, scores=None):
    source = text if tokens is None else tokens
    encoding = tokenizer(
        source, is_split_into_words=tokens is not None, return_offsets_mapping=True, return_special_tokens_mask=True
    )
    ids, mask, word_ids = encoding["input_ids"], encoding["special_tokens_mask"], encoding.word_ids()
    starts = []
    if tokens is not None:
        text = " ".join(tokens)
        position = 0
        for token in tokens:
            starts.append((position, position + len(token)))
            position += len(token) + 1
    offsets = encoding["offset_mapping"]
    if scores is None:
        scores = probabilities(len(ids), len(labels), spike, tied)
    scores = numpy.asarray(scores, dtype=numpy.float32)
    pipe = pipeline(labels)
    expected = {}
    for strategy in STRATEGIES:
        aggregation = AggregationStrategy[strategy.upper()]
        pre = pipe.gather_pre_entities(
            text,
            ids,
            scores.astype(numpy.float64),
            numpy.array(offsets),
            mask,
            aggregation,
            word_ids=word_ids if tokens is not None else None,
            word_to_chars_map=starts if tokens is not None else None,
        )
        expected[strategy] = [
            plain(e)
            for e in pipe.aggregate(pre, aggregation)
            if e.get("entity") not in ignore and e.get("entity_group") not in ignore
        ]
    absolute = [
        (s + starts[w][0], e + starts[w][0]) if tokens is not None and w is not None else (s, e)
        for (s, e), w in zip(offsets, word_ids)
    ]
    words = []
    for index, word in enumerate(word_ids):
        if word is None:
            continue
        if word == len(words):
            words.append({"firstToken": index, "tokenCount": 0, "start": absolute[index][0]})
        words[word]["tokenCount"] += 1
        words[word]["end"] = absolute[index][1]
    if tokens is not None:
        assert len(words) == len(tokens)
        for word, (start, end) in zip(words, starts):
            word.update(start=start, end=end)
    for word in words:
        word.update(start=utf16(text, word["start"]), end=utf16(text, word["end"]))
    return {
        "name": name,
        "text": text,
        "labels": labels,
        "ignoreLabels": list(ignore),
        "tokenStart": [utf16(text, s) for s, _ in absolute],
        "tokenEnd": [utf16(text, e) for _, e in absolute],
        "wordOfToken": [-1 if w is None else w for w in word_ids],
        "words": words,
        "probabilities": [float(str(p)) for p in scores.reshape(-1)],
        "expected": expected,
    }


def hot(name, text, labels, favourites):
    """A case where the label of every token, special ones included, is given."""
    assert len(favourites) == len(tokenizer(text)["input_ids"])
    scores = numpy.full((len(favourites), len(labels)), 0.125 / (len(labels) - 1))
    scores[range(len(favourites)), favourites] = 0.875
    return case(name, text, labels, scores=scores)


def entity_cases():
    same, different = [], []
    sets = {"BIO": BIO, "IO": IO, "plain": PLAIN[:3], "hyphens": HYPHENS}
    for number, text in enumerate(TEXTS):
        for name, labels in sets.items():
            if number < 2 or (number + len(name)) % 2 == 0:
                same.append(case(f"{name}, text {number}", text, labels, spike=2.0 if number % 2 else 4.0))
    for number in range(4):
        tokens = ["Ana", "😀", "Wolfgangson", "lost", "Gothenburgers", "in", "Lisbon", ","]
        same.append(case(f"tokens {number}", "", BIO, spike=3.0, tokens=tokens))
    same.append(case("tied", TEXTS[1], BIO, tied=True))
    same.append(case("tied, nothing ignored", TEXTS[4], BIO, tied=True, ignore=()))
    same.append(case("nothing ignored", TEXTS[1], BIO, ignore=()))
    same.append(case("a label and a type ignored", TEXTS[1], BIO, ignore=("O", "B-PER", "LOC"), spike=5.0))
    same.append(case("no label is O", TEXTS[0], POS))
    same.append(case("empty", "", BIO))

    different.append(hot("inner punctuation", INNER[0], BIO, [0, 0, 1, 0, 2, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0, 0]))
    different.append(hot("inner combining mark", INNER[1], BIO, [0, 3, 1, 0]))
    different.append(hot("IOBES", TEXTS[0], IOBES, [0, 4, 4, 1, 2, 3, 2, 8, 8, 1, 3]))
    different.append(hot("BILOU", TEXTS[0], BILOU, [0, 4, 4, 1, 2, 3, 2, 4, 4, 1, 3]))
    different.append(hot("plain label with a hyphen", TEXTS[0], PLAIN, [0, 0, 3, 3, 0, 1, 1, 0, 0, 0, 0]))
    return same, different


def classify_cases():
    cases = []
    single, multi = "single_label_classification", "multi_label_classification"
    for labels, problem in ((77, single), (28, multi), (2, None), (1, None), (5, "tied")):
        logits = (rng.normal(size=labels) * 3).astype(numpy.float32)
        if problem == "tied":
            logits[:] = [0.5, 2, 0.5, 2, 2]
        names = [f"label {i}" for i in range(labels)]
        pipe = TextClassificationPipeline.__new__(TextClassificationPipeline)
        config = types.SimpleNamespace(
            problem_type=None if problem == "tied" else problem, num_labels=labels, id2label=dict(enumerate(names))
        )
        pipe.model = types.SimpleNamespace(config=config)
        output = {"logits": [types.SimpleNamespace(float=lambda l=logits: types.SimpleNamespace(numpy=lambda: l))]}
        everything = pipe.postprocess(output, top_k=None, _legacy=False)
        by_label = {e["label"]: e["score"] for e in everything}
        cases.append({
            "problemType": config.problem_type,
            "labels": names,
            "probabilities": [by_label[n] for n in names],
            "top": {str(k): pipe.postprocess(output, top_k=k, _legacy=False) for k in (1, 3, None)},
        })
    return cases


def write(name, content):
    head = json.dumps({"versions": VERSIONS})[:-1]
    parts = [
        f"{json.dumps(key)}:[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]"
        for key, cases in content.items()
    ]
    (HERE / name).write_text(head + ",\n" + ",\n".join(parts) + "}\n", encoding="utf-8")


same, different = entity_cases()
write("entities.json", {"same": same, "different": different})
write("classify.json", {"cases": classify_cases()})
print(len(same) * len(STRATEGIES), "cases the same,", len(different), "texts different on purpose")
