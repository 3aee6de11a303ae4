"""Loads what `rootstock pretrain` wrote with transformers and PEFT, and keeps what they compute with it.

    node scripts/make-pretrain-loads.mjs && python scripts/make-pretrain-loads.py

Needs torch, transformers and peft; their versions are stamped into states.json. The tests need no Python. For tests/golden/pretrain-loads
this writes states.json {"versions", "input_ids", "states"}: the last hidden state of each text by the encoder alone ("none") and under each
family's adapter, (texts, tokens, hidden), in evaluation mode, float32.

It stops if a weight of the folders is missing, left over or changed in the loaded model, or if PEFT warns.
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
from transformers import AutoModel, AutoTokenizer

FOLDER = Path(__file__).resolve().parent.parent / "tests/golden/pretrain-loads"
TEXTS = ["w1 w9", "w39 w0 w17 w17 w30 w4 w22", "w12"]


def load_encoder():
    model, info = AutoModel.from_pretrained(FOLDER / "encoder", output_loading_info=True)
    # A pooler that the encoder does not have is made anew, and nothing reads it.
    assert {name.split(".")[0] for name in info["missing_keys"]} <= {"pooler"}, info
    assert not info["unexpected_keys"] and not info["mismatched_keys"], info
    for name, values in load_file(FOLDER / "encoder/model.safetensors").items():
        assert torch.equal(model.state_dict()[name], values), f"{name} was not loaded"
    return model.eval()


def load_adapter(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model = PeftModel.from_pretrained(load_encoder(), FOLDER / name)
    kept, file = get_peft_model_state_dict(model), load_file(FOLDER / name / "adapter_model.safetensors")
    assert kept.keys() == file.keys(), f"{name}: {kept.keys() ^ file.keys()}"
    for key, values in file.items():
        assert torch.equal(kept[key], values), f"{name}: {key} was not loaded"
    return model.eval()


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(FOLDER / "encoder")
    input_ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    states = {}
    for name, model in [("none", load_encoder()), ("ner", load_adapter("ner")), ("tc", load_adapter("tc"))]:
        with torch.no_grad():
            states[name] = [model(input_ids=torch.tensor([ids])).last_hidden_state[0].tolist() for ids in input_ids]
    versions = {"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    (FOLDER / "states.json").write_text(json.dumps({"versions": versions, "texts": TEXTS, "input_ids": input_ids, "states": states}) + "\n")
    print(f"{len(TEXTS)} texts, {', '.join(states)}")


main()
