"""What transformers and PEFT compute in float32 with the encoder and adapters of models/, for tests/models/pytorch.test.ts.

    python scripts/make-model-goldens.py ENCODER [MODELS] [DATA]      ENCODER: the float32 folder that the encoder of models/ was converted from

MODELS is models, DATA is ../shared/data by default. Needs torch, transformers and peft; their versions are stamped into the file. The tests
need no Python. Writes to tests/golden/models:

- goldens.json {"versions", "texts": [{"text", "input_ids"}], "adapters": {NAME: [input_ids, ...]}}: two test rows of every task; twelve test rows
  of each adapter's own task, cut as it was trained.
- goldens.safetensors: "vectors/none" and "vectors/FAMILY" (texts, hidden), the mean of the last states over all tokens, by the encoder alone and
  under the adapter of each family of models/families; "logits/NAME/ROW" (tokens, labels) or (labels).

It stops if a weight of the folders is missing, left over or changed in the loaded model, or if PEFT warns.
"""
import gzip
import json
import os
import sys
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import torch
import transformers
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

OUT = Path(__file__).resolve().parent.parent / "tests/golden/models"
CLASSES = {"TOKEN_CLS": AutoModelForTokenClassification, "SEQ_CLS": AutoModelForSequenceClassification}
ROWS_OF_TASK = 2
ROWS_OF_ADAPTER = 12


def read_rows(data, task, count):
    """`count` rows of the test set, spread evenly over it."""
    path = data / task / "test.jsonl"
    text = path.read_text() if path.exists() else gzip.open(f"{path}.gz", "rt").read()
    rows = [json.loads(line) for line in text.splitlines()]
    return [rows[i * len(rows) // count] for i in range(count)]


def load_encoder(cls, folder, **options):
    torch.manual_seed(0)
    model, info = cls.from_pretrained(folder, output_loading_info=True, dtype=torch.float32, **options)
    assert {name.split(".")[0] for name in info["missing_keys"]} <= {"classifier"}, info
    # Neither a token classifier nor the mean over tokens reads the pooler.
    assert all(".pooler." in f".{name}" for name in info["unexpected_keys"]) and not info["mismatched_keys"], info
    return model.eval()


def load_adapter(model, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model = PeftModel.from_pretrained(model, folder)
    kept, file = get_peft_model_state_dict(model), load_file(folder / "adapter_model.safetensors")
    assert kept.keys() == file.keys(), f"{folder.name}: {kept.keys() ^ file.keys()}"
    for key, values in file.items():
        assert torch.equal(kept[key], values), f"{folder.name}: {key} was not loaded"
    return model.eval()


def main():
    encoder = Path(sys.argv[1])
    models = Path(sys.argv[2] if len(sys.argv) > 2 else "models")
    data = Path(sys.argv[3] if len(sys.argv) > 3 else "../shared/data")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    tensors, adapters = {}, {}

    tasks = sorted(json.loads((data / "tasks.json").read_text()))
    texts = [row["text"] for task in tasks for row in read_rows(data, task, ROWS_OF_TASK)]
    ids = [tokenizer(text, truncation=True, max_length=256)["input_ids"] for text in texts]
    for name in ["none", *sorted(path.name for path in (models / "families").glob("*"))]:
        model = load_encoder(AutoModel, encoder)
        if name != "none":
            model = load_adapter(model, models / "families" / name)
        with torch.no_grad():
            tensors[f"vectors/{name}"] = torch.stack([model(input_ids=torch.tensor([one])).last_hidden_state[0].mean(0) for one in ids])

    for folder in sorted((models / "adapters").iterdir()):
        about = json.loads((folder / "config.json").read_text())
        task_type = json.loads((folder / "adapter_config.json").read_text())["task_type"]
        options = {"num_labels": len(about["id2label"]), "problem_type": about.get("problem_type")}
        model = load_adapter(load_encoder(CLASSES[task_type], encoder, **options), folder)
        cut = {"truncation": True, "max_length": about["max_length"]}
        rows = read_rows(data, folder.name.replace("-", "_"), ROWS_OF_ADAPTER)
        adapters[folder.name] = [(tokenizer(row["tokens"], is_split_into_words=True, **cut) if task_type == "TOKEN_CLS" else tokenizer(row["text"], **cut))["input_ids"] for row in rows]
        with torch.no_grad():
            for i, one in enumerate(adapters[folder.name]):
                tensors[f"logits/{folder.name}/{i}"] = model(input_ids=torch.tensor([one])).logits[0].contiguous()
        print(folder.name, task_type)

    OUT.mkdir(parents=True, exist_ok=True)
    versions = {"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    goldens = {"versions": versions, "texts": [{"text": text, "input_ids": one} for text, one in zip(texts, ids)], "adapters": adapters}
    (OUT / "goldens.json").write_text(json.dumps(goldens) + "\n")
    save_file(tensors, OUT / "goldens.safetensors")


main()
