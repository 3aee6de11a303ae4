"""Charsmaps of sentencepiece, and what the reference makes of texts by them.

    python tests/golden/text/make-charsmap.py OUTPUT_FOLDER

Writes nmt-nfkc.bin.gz (the map of the rule nmt_nfkc, which XLM-R and ALBERT have) and charsmap.json.gz.
"""
import gzip, hashlib, io, json, os, random, sys, tempfile
from base64 import b64encode
from importlib.metadata import version

import sentencepiece
from tokenizers.normalizers import Precompiled


def charsmap(**rule):
    """precompiled_charsmap of a model trained with a rule: field 2 of field 3 of the model's protobuf."""
    model = io.BytesIO()
    sentences = ["hello world this is a test of things", "more words here for you"] * 20
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(sentences), model_writer=model, vocab_size=40, hard_vocab_limit=False, minloglevel=2, **rule)
    return dict(fields(dict(fields(model.getvalue()))[3]))[2]


def fields(data):
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        size = {0: 0, 1: 8, 5: 4}.get(key & 7)
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        if size is None:
            size = varint()
        yield key >> 3, data[at : at + size]
        at += size


def texts(rng):
    """Short texts of what joins graphemes, of what the map replaces, and of anything."""
    joining = [chr(c) for c in (0x300, 0x301, 0x308, 0x323, 0x345, 0x5B0, 0x640, 0x64B, 0x600, 0x6DD, 0x70F, 0x903, 0x93E, 0x94D, 0x915, 0xE33, 0x1161, 0x11A8, 0x1112,
                                0x200B, 0x200C, 0x200D, 0x200F, 0xFE0F, 0x20DD, 0x3099, 0xFF9E, 0xFF76, 0x1F468, 0x1F1E9, 0x1F1EA, 0x1F3FB, 0xA9, 0xAC00)]
    others = list("\r\n\t \0\x01\x0b\x7f\x85\xa0\xada.xE©½²µªÅéẛ") + [chr(c) for c in (0x130, 0x1C4, 0x3A3, 0x2126, 0xFB01, 0xFDFA, 0x3000, 0xFF21, 0xFEFF, 0x1D400, 0x2F800, 0xFFFD)]
    for _ in range(1500):
        parts = rng.choices(joining + others, k=rng.randint(1, 7))
        if rng.random() < 0.3:
            parts.append(chr(rng.choice([rng.randrange(0x20, 0xD800), rng.randrange(0xE000, 0x20000)])))
        yield "".join(parts)


def main(folder):
    rng = random.Random(4)
    real = charsmap(normalization_rule_name="nmt_nfkc")
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        # The shortest beginning counts: "ab" never does; "é" of two characters does as one grapheme, "a" with a mark as "a".
        rules.write("61\t78 79\n61 62\t7A\n65 301\tE9\n1F600\t3A 29\n3B1\t\n0D 0A\t0A\n")
        rules.flush()
        own = charsmap(normalization_rule_tsv=rules.name)
    normalize = Precompiled(real).normalize_str
    blocks = []
    for block in *range(0, 0x30000, 4096), 0xE0000:  # the others have no character but private ones
        text = "".join(f"x{chr(c)}x\n{chr(c)}\u0301\n" for c in range(block, block + 4096) if not 0xD800 <= c < 0xE000)
        blocks.append(hashlib.sha256(normalize(text).encode()).hexdigest()[:12])
    own_normalize = Precompiled(own).normalize_str
    own_texts = ["".join(rng.choices(["a", "b", "e", "\u0301", "\u0308", "😀", "α", "\r", "\n", " ", "é"], k=rng.randint(1, 6))) for _ in range(200)]
    result = {
        "reference": f"tokenizers {version('tokenizers')}, sentencepiece {version('sentencepiece')}",
        "codePoints": blocks,
        "texts": [[text, normalize(text)] for text in texts(rng)],
        "own": {"charsmap": b64encode(own).decode(), "texts": [[text, own_normalize(text)] for text in own_texts]},
    }
    for name, data in ("nmt-nfkc.bin.gz", real), ("charsmap.json.gz", json.dumps(result, ensure_ascii=False).encode()):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(gzip.compress(data, 9, mtime=0))


main(sys.argv[1])
