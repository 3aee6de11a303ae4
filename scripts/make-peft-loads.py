"""Loads the adapters that Rootstock trained and saved with PEFT, and keeps what PEFT computes with them.

    node scripts/make-peft-loads.mjs && python scripts/make-peft-loads.py

Needs torch, transformers and peft; their versions are stamped into index.json. The tests need no Python. For each adapter folder of
tests/golden/peft-loads this writes logits.json {"task_type", "input_ids", "logits"}: (inputs, labels), or (inputs, tokens, labels) for
TOKEN_CLS, in evaluation mode, float32.

It stops if PEFT warns, or if the loaded model would not save the very tensors of the file.
"""
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
from safetensors.torch import load_file
from transformers import BertForSequenceClassification, BertForTokenClassification

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests/golden/peft-loads"
BASE = ROOT / "tests/golden/peft/base/bert-odd"
CLASSES = {"TOKEN_CLS": BertForTokenClassification, "SEQ_CLS": BertForSequenceClassification}
INPUT_IDS = [[2, 5, 3], [2, *range(7, 19), 3], [2, 44, 9, 9, 30, 12, 3], [2, *range(40, 23, -1), 3]]


def logits_of(model):
    model.eval()
    with torch.no_grad():
        return [model(input_ids=torch.tensor([ids])).logits[0].tolist() for ids in INPUT_IDS]


def load(folder):
    config = json.loads((folder / "adapter_config.json").read_text())
    labels = json.loads((folder / "config.json").read_text())
    torch.manual_seed(0)
    model = CLASSES[config["task_type"]].from_pretrained(BASE, num_labels=len(labels["id2label"]), problem_type=labels.get("problem_type"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model = PeftModel.from_pretrained(model, folder)
    kept = get_peft_model_state_dict(model)
    file = load_file(folder / "adapter_model.safetensors")
    assert kept.keys() == file.keys(), f"{folder.name}: {kept.keys() ^ file.keys()}"
    for name, values in file.items():
        assert torch.equal(kept[name], values), f"{folder.name}: {name} was not loaded"
    return config["task_type"], logits_of(model)


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    names = sorted(path.parent.name for path in FOLDER.glob("*/adapter_config.json"))
    for name in names:
        task_type, logits = load(FOLDER / name)
        text = json.dumps({"task_type": task_type, "input_ids": INPUT_IDS, "logits": logits})
        (FOLDER / name / "logits.json").write_text(text + "\n")
        print(name, task_type)
    versions = {"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    (FOLDER / "index.json").write_text(json.dumps({"versions": versions, "adapters": names}, indent=2) + "\n")


main()
