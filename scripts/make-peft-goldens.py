"""Refreshes tests/golden/peft: tiny random encoders and PEFT adapters with what PyTorch, transformers and PEFT compute for them.

    python scripts/make-peft-goldens.py [OUTPUT]          default: tests/golden/peft

Needs torch, transformers, peft, safetensors and numpy; their versions are stamped into index.json. The tests need no Python.
Every weight is drawn by numpy from a seed made of its case and name, so a rerun gives the same files (PiSSA apart: its start
is a singular value decomposition, whose last bits depend on the LAPACK build).

Layout (all numbers float32 unless a case says otherwise):
  index.json               versions, bases, cases (one per adapter), masks; see `main`
  base/NAME/               config.json, model.safetensors, golden.json {"input_ids"}, golden.safetensors: `i/hidden.L` (tokens,
                           hidden), L = 0 what enters the first layer (after LayerNorm and, in ALBERT and ELECTRA, the
                           projection to the hidden size), and `i/pooler` (hidden) where the family has one
  adapters/NAME/           adapter_config.json, adapter_model.safetensors as PEFT saved them, golden.json {"task_type",
                           "num_labels", "input_ids", "logits"}: (inputs, labels), or (inputs, tokens, labels) for TOKEN_CLS.
                           FEATURE_EXTRACTION has golden.safetensors as a base has, instead of logits
  mask/NAME.json           {"input_ids", "attention_mask", "rows", "last_hidden_state"}: the unmasked rows

Each adapter golden is computed from the saved folder, loaded by PEFT on the saved base. The script stops if the loaded adapter
differs from the one that was saved, if an adapter does not move the result, or if a tensor of a file has no effect on it and
should have one. The others are listed: a bias on keys shifts all scores of a query alike, which softmax cancels, and with
bias="all" PEFT also saves `classifier.original_module.bias` and `classifier.modules_to_save.bias`, which it does not read back.
"""
import copy
import json
import os
import shutil
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

if os.environ.get("PYTHONHASHSEED") != "0":  # PEFT saves target_modules from a set: fix the order
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0", "HF_HUB_OFFLINE": "1"})

import numpy as np
import peft
import torch
import transformers
from peft import IA3Config, LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification

ROOT = Path(__file__).resolve().parent.parent
LENGTHS = [1, 5, 17]
SEQ, TOKEN, FEATURE = "SEQ_CLS", "TOKEN_CLS", "FEATURE_EXTRACTION"
LABELS = {SEQ: 3, TOKEN: 5}
MODEL_CLASS = {SEQ: AutoModelForSequenceClassification, TOKEN: AutoModelForTokenClassification, FEATURE: AutoModel}

# ---- bases: sizes that are no multiple of 16, so that every tail of a kernel is used ------------------------------------------

COMMON = dict(num_hidden_layers=2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, type_vocab_size=2)
ROBERTA = dict(COMMON, vocab_size=60, max_position_embeddings=21, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5)
BASES = {
    "bert-odd": ("bert", dict(COMMON, vocab_size=61, hidden_size=42, num_attention_heads=3, intermediate_size=70,
                              num_hidden_layers=3, max_position_embeddings=19)),
    "distilbert": ("distilbert", dict(vocab_size=60, dim=24, n_heads=2, hidden_dim=36, n_layers=2, max_position_embeddings=18,
                                      dropout=0.0, attention_dropout=0.0, seq_classif_dropout=0.0)),
    "roberta": ("roberta", dict(ROBERTA, hidden_size=20, num_attention_heads=2, intermediate_size=44)),
    "xlm-roberta": ("xlm-roberta", dict(ROBERTA, hidden_size=28, num_attention_heads=4, intermediate_size=30)),
    "albert": ("albert", dict(COMMON, vocab_size=60, embedding_size=10, hidden_size=24, num_attention_heads=3, num_hidden_layers=3,
                              intermediate_size=52, hidden_act="gelu_new", max_position_embeddings=20)),
    "electra": ("electra", dict(COMMON, vocab_size=60, embedding_size=18, hidden_size=32, num_attention_heads=2,
                                intermediate_size=50, max_position_embeddings=20)),
}

# ---- adapters ----------------------------------------------------------------------------------------------------------------

QV = {"distilbert": ["q_lin", "v_lin"]}
CASES = []


def add(name, base, kind, task, covers, config, **options):
    CASES.append(dict(name=name, base=base, kind=kind, task=task, covers=covers, config=config, **options))


def lora(**given):
    return lambda task: LoraConfig(task_type=task, **{"r": 4, "lora_alpha": 6, "lora_dropout": 0.0, **given})


def ia3(**given):
    return lambda task: IA3Config(task_type=task, **given)


for family in BASES:
    qv = lora(target_modules=QV.get(family, ["query", "value"]), **(
        {"modules_to_save": ["pre_classifier", "classifier"]} if family == "distilbert" else {}))
    add(f"{family}-seq", family, "lora", SEQ, "query and value, the family's text classification head", qv)
    add(f"{family}-token", family, "lora", TOKEN, "query and value, the family's token classification head", lora(
        target_modules=QV.get(family, ["query", "value"])))
    if family not in ("bert-odd", "distilbert"):  # DistilBERT: see distilbert-all-linear below
        add(f"{family}-all-linear", family, "lora", SEQ, "every Linear that PEFT targets with all-linear outside the head", lora(
            r=2, target_modules="all-linear"))
# With all-linear PEFT takes a token classification head, and DistilBERT's pre_classifier, for targets and then cannot save them.
add("distilbert-all-linear", "distilbert", "lora", TOKEN, "every Linear of the encoder: all-linear without the head", lora(
    r=2, target_modules="all-linear", exclude_modules=["classifier"]))
add("albert-shared-dora", "albert", "dora", SEQ, "all six Linears of the layer that ALBERT repeats", lora(
    r=3, target_modules=["query", "key", "value", "dense", "ffn", "ffn_output"], use_dora=True))

ODD = "bert-odd"
LINEARS = ["query", "key", "value", "dense"]
add("bias-all", ODD, "lora", SEQ, 'bias="all": every bias of the encoder, LayerNorms and pooler included, is replaced', lora(bias="all"))
add("bias-lora-only", ODD, "lora", TOKEN, 'bias="lora_only": the biases of the targets are replaced', lora(
    r=3, bias="lora_only", target_modules=["query", "value", "output.dense"]))
add("lora-bias", ODD, "lora", SEQ, "lora_bias: B has a bias, scaled with it", lora(r=3, lora_bias=True, target_modules=LINEARS))
add("dora-all-linear", ODD, "dora", SEQ, "DoRA on every Linear and the pooler, rank_pattern by suffix and by expression", lora(
    r=3, target_modules="all-linear", use_dora=True,
    rank_pattern={"intermediate.dense": 2, r"^bert\.encoder\.layer\.[02]\..*query": 6, "layer.1.output.dense": 1}))
add("rslora-alpha-pattern", ODD, "rslora", TOKEN, "alpha / sqrt(r), alpha_pattern and rank_pattern", lora(
    use_rslora=True, rank_pattern={"value": 9}, alpha_pattern={"query": 3, "layer.2.attention.self.value": 5}))
add("all-linear", ODD, "lora", SEQ, "all-linear, the pooler gets an adapter", lora(r=3, target_modules="all-linear"))
add("exclude-list", ODD, "lora", SEQ, "exclude_modules as a list of suffixes", lora(
    r=3, target_modules=["query", "dense"], exclude_modules=["pooler.dense", "layer.1.attention.output.dense"]))
add("exclude-regex", ODD, "lora", TOKEN, "exclude_modules as an expression over the whole name", lora(
    r=3, target_modules="all-linear", exclude_modules=r".*\.layer\.(0|2)\..*|classifier"))
add("layers-to-transform", ODD, "lora", SEQ, "layers_to_transform with layers_pattern: layers 1 and 2 of 3", lora(
    r=3, target_modules=["query", "value", "dense"], layers_to_transform=[1, 2], layers_pattern="layer"))
add("embedding", ODD, "embedding-lora", SEQ, "LoRA on word_embeddings, query and value", lora(
    target_modules=["word_embeddings", "query", "value"]))
add("embedding-all", ODD, "embedding-lora", TOKEN, "LoRA on word, position and token type embeddings", lora(
    target_modules=["word_embeddings", "position_embeddings", "token_type_embeddings"]))
add("ia3", ODD, "ia3", SEQ, "default targets of BERT: key, value, output.dense (attention output too, by suffix)", ia3())
add("ia3-feedforward", ODD, "ia3", TOKEN, "input scaling on intermediate.dense: its bias is not scaled", ia3(
    target_modules=["key", "value", "intermediate.dense"], feedforward_modules=["intermediate.dense"]))
add("ia3-bias", ODD, "ia3", SEQ, "output scaling on every Linear of the layers: the bias becomes l*b", ia3(
    target_modules=["query", "key", "value", "output.dense", "intermediate.dense"], feedforward_modules=[]))
add("save-pooler", ODD, "lora", SEQ, "modules_to_save has the pooler too", lora(modules_to_save=["classifier", "pooler"]))
add("feature-extraction", ODD, "lora", FEATURE, "on BertModel: no head, keys without the bert. prefix", lora(r=3, target_modules=LINEARS))
add("float16", ODD, "lora", SEQ, "trained and saved in float16, computed in float32", lora(), dtype=torch.float16)
add("bfloat16", ODD, "dora", TOKEN, "DoRA trained and saved in bfloat16, computed in float32", lora(use_dora=True), dtype=torch.bfloat16)
add("multi-label", ODD, "lora", SEQ, "problem_type multi_label_classification and id2label in a config.json beside the adapter", lora(),
    labels=["billing", "delivery", "returns", "praise"])
add("fan-in-fan-out", ODD, "lora", SEQ, "fan_in_fan_out true in the file: PEFT warns, takes it as false on a Linear", lora(),
    edit={"fan_in_fan_out": True})
add("pissa-unconverted", ODD, "lora", SEQ, "init_lora_weights pissa: fits a mutated base only (PEFT redoes the SVD; the logits are its)",
    lora(init_lora_weights="pissa"), expect="refuse")
add("pissa-converted", ODD, "lora", FEATURE, "PiSSA converted on save: a plain LoRA of twice the rank on the original base", lora(
    r=2, init_lora_weights="pissa"), convert=True)
add("pissa-converted-head", ODD, "lora", SEQ, "the same with a head, which PEFT drops when it converts: put back by hand", lora(
    r=2, init_lora_weights="pissa"), convert=True)

# ---- values --------------------------------------------------------------------------------------------------------------------


def draw(seed, shape):
    values = np.random.default_rng(zlib.crc32(seed.encode())).standard_normal(tuple(shape))
    return torch.from_numpy(values.astype(np.float32))


@torch.no_grad()
def fill_base(model, base):
    for name, value in model.named_parameters():
        noise = draw(f"{base}/{name}", value.shape)
        if name.endswith("bias"):
            value.copy_(0.3 * noise)
        elif "LayerNorm" in name or "layer_norm" in name:
            value.copy_(1 + 0.3 * noise)
        elif "embeddings" in name and "project" not in name:
            value.copy_(0.8 * noise)
        else:
            value.copy_(noise * 1.2 / value.shape[1] ** 0.5)


@torch.no_grad()
def fill_adapter(model, case):
    """Values as training might leave them, and large enough that no part can be dropped unseen."""
    pissa = getattr(model.peft_config["default"], "init_lora_weights", None) == "pissa"
    for name, value in model.named_parameters():
        if not value.requires_grad:
            continue
        noise = draw(f"{case['name']}/{name}", value.shape)
        if "lora_magnitude" in name:
            value.mul_(1 + 0.3 * noise.to(value.dtype))
        elif "ia3_l" in name:
            value.copy_(1 + 0.5 * noise)
        elif pissa and "lora_" in name:
            value.add_(0.25 * noise)
        elif name.endswith("bias") or "lora_B.default.bias" in name:
            value.copy_(value.float() + 0.3 * noise)
        elif "lora_A" in name:
            value.copy_(noise / value.shape[1] ** 0.5)
        elif "lora_embedding_A" in name:
            value.copy_(0.6 * noise)
        elif "lora_B" in name or "lora_embedding_B" in name:
            value.copy_(0.5 * noise / value.shape[1] ** 0.5)
        elif "modules_to_save" in name:
            value.copy_(noise * 1.2 / value.shape[1] ** 0.5)
        else:
            raise SystemExit(f"{case['name']}: no rule for {name}")


def inputs_of(vocabulary):
    rng = np.random.default_rng(20)
    return [rng.integers(5, vocabulary, size=n).tolist() for n in LENGTHS]  # 0 … 4 are padding and special ids


def numbers(tensor):
    """Nested lists, rounded to 7 digits after the point."""
    return json.loads(json.dumps(tensor.float().tolist()), parse_float=lambda text: round(float(text), 7))


def write_json(path, value):
    path.write_text(json.dumps(value) + "\n")


# ---- running -------------------------------------------------------------------------------------------------------------------


@torch.no_grad()
def run(model, inputs):
    """Per input: logits without the batch axis, or for a headless model {name: tensor}."""
    model.eval()
    outputs = []
    for ids in inputs:
        out = model(input_ids=torch.tensor([ids]), output_hidden_states=True)
        if "logits" in out:
            outputs.append({"logits": out.logits[0]})
        else:
            named = {f"hidden.{i}": h[0].contiguous() for i, h in enumerate(out.hidden_states)}
            if out.get("pooler_output") is not None:
                named["pooler"] = out.pooler_output[0]
            outputs.append(named)
    return outputs


def difference(left, right):
    return max(float((a[k].double() - b[k].double()).abs().max()) for a, b in zip(left, right) for k in a)


def load_base(case, dtype=torch.float32):
    extra = {}
    if case.get("labels"):
        names = dict(enumerate(case["labels"]))
        extra = dict(id2label=names, label2id={v: k for k, v in names.items()}, problem_type="multi_label_classification")
    elif case["task"] != FEATURE:
        extra = dict(num_labels=LABELS[case["task"]])
    torch.manual_seed(0)
    return MODEL_CLASS[case["task"]].from_pretrained(case["base"], dtype=dtype, attn_implementation="eager", **extra)


def make_base(name):
    family, sizes = BASES[name]
    model = AutoModel.from_config(AutoConfig.for_model(family, **sizes), attn_implementation="eager")
    fill_base(model, name)
    model.save_pretrained(name)
    inputs = inputs_of(model.config.vocab_size)
    model = AutoModel.from_pretrained(name, attn_implementation="eager")
    outputs = run(model, inputs)
    save_golden(Path(name), inputs, outputs)
    error = difference(outputs, run(model.double(), inputs))
    return {"folder": f"base/{name}", "family": family, "float64_difference": error,
            "covers": "hidden states" + (" and pooler" if "pooler" in outputs[0] else "")}


def save_golden(folder, inputs, outputs, **fields):
    if "logits" in outputs[0]:
        write_json(folder / "golden.json", {**fields, "input_ids": inputs, "logits": [numbers(o["logits"]) for o in outputs]})
    else:
        write_json(folder / "golden.json", {**fields, "input_ids": inputs})
        save_file({f"{i}/{k}": v for i, o in enumerate(outputs) for k, v in o.items()}, folder / "golden.safetensors")


def save_adapter(case, folder):
    """Trains nothing: fills the adapter, saves it as PEFT does, returns the filled model's outputs."""
    dtype = case.get("dtype", torch.float32)
    base = load_base(case, dtype)
    model = get_peft_model(base, case["config"](case["task"]), autocast_adapter_dtype=False)
    with tempfile.TemporaryDirectory() as start:
        options = {}
        if case.get("convert"):
            model.save_pretrained(start)
            options = {"path_initial_model_for_weight_conversion": start}
        fill_adapter(model, case)
        outputs = run(model, inputs_of(base.config.vocab_size))
        head = {k: v.clone() for k, v in get_peft_model_state_dict(model).items() if "classifier" in k}
        model.save_pretrained(folder, **options)
    weights = folder / "adapter_model.safetensors"
    if case.get("convert") and head:
        save_file({**load_file(weights), **head}, weights, metadata={"format": "pt"})
    weights.chmod(0o644)
    (folder / "README.md").unlink()
    if case.get("labels"):
        base.config.save_pretrained(folder)
    if case.get("edit"):
        path = folder / "adapter_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **case["edit"]}, indent=2, sort_keys=True))
    return outputs


def without_effect(model, folder, inputs, outputs):
    """Names of the file's tensors whose change leaves all outputs as they are."""
    names = []
    saved = load_file(folder / "adapter_model.safetensors")
    for name, value in saved.items():
        set_peft_model_state_dict(model, {**saved, name: value.float() + 0.5 * draw(name, value.shape)})
        if difference(outputs, run(model, inputs)) < 1e-4:
            names.append(name)
    set_peft_model_state_dict(model, dict(saved))
    assert difference(outputs, run(model, inputs)) == 0, f"{folder}: a tensor was not put back"
    return names


def cannot_matter(name):
    """A bias on keys; or what bias="all" saves of the head's wrapper besides the head itself."""
    return name.endswith("bias") and any(part in name for part in (".key.", ".modules_to_save.", ".original_module."))


def make_adapter(case):
    folder = Path("../adapters") / case["name"]
    before = save_adapter(case, folder)
    base = load_base(case)
    inputs = inputs_of(base.config.vocab_size)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(base, folder)
    outputs = run(model, inputs)
    size = next(iter(outputs[0].values())).shape[-1]
    fields = {} if case["task"] == FEATURE else {"num_labels": size}
    save_golden(folder, inputs, outputs, task_type=case["task"], **fields)

    float32 = case.get("dtype", torch.float32) == torch.float32
    assert all(p.dtype == torch.float32 for p in model.parameters())
    reload_error = difference(before, outputs)
    assert reload_error < (2e-5 if float32 else 0.5), f"{case['name']}: saved and loaded differ by {reload_error}"
    with model.disable_adapter():
        moved = difference(outputs, run(model, inputs))
    assert moved > 0.05, f"{case['name']}: the adapter moves the result by {moved} only"
    dead = without_effect(model, folder, inputs, outputs)
    assert all(cannot_matter(n) for n in dead), f"{case['name']}: without effect: {dead}"
    exact = run(copy.deepcopy(model).double(), inputs)
    return {
        "folder": f"adapters/{case['name']}", "family": BASES[case["base"]][0], "kind": case["kind"], "base": f"base/{case['base']}",
        "task_type": case["task"], **fields, "expect": case.get("expect", "load"), "covers": case["covers"],
        "dtype": str(case.get("dtype", torch.float32)).removeprefix("torch."),
        "float64_difference": difference(outputs, exact), "without_effect": dead,
        "peft_warnings": [str(w.message) for w in said if "fan_in_fan_out" in str(w.message)],
    }


@torch.no_grad()
def make_mask(name):
    ids = np.random.default_rng(9).integers(5, 60, size=9).tolist()
    mask = [1, 1, 1, 0, 1, 1, 0, 0, 1]
    rows = [i for i, m in enumerate(mask) if m]
    model = AutoModel.from_pretrained(name, attn_implementation="eager").eval()
    given = dict(input_ids=torch.tensor([ids]), attention_mask=torch.tensor([mask]))
    hidden = model(**given).last_hidden_state[0]
    assert (hidden - model(input_ids=given["input_ids"]).last_hidden_state[0])[rows].abs().max() > 0.05
    Path("../mask").mkdir()
    write_json(Path(f"../mask/{name}.json"), {"input_ids": ids, "attention_mask": mask, "rows": rows,
                                              "last_hidden_state": numbers(hidden[rows])})
    return {"file": f"mask/{name}.json", "base": f"base/{name}", "covers": "positions masked in the middle; others keep their position"}


def main():
    output = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "tests/golden/peft").resolve()
    for part in ("base", "adapters", "mask"):
        shutil.rmtree(output / part, ignore_errors=True)
    (output / "base").mkdir(parents=True)
    os.chdir(output / "base")  # so that adapter_config.json names its base by folder name alone
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore")
    index = {
        "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__, "peft": peft.__version__},
        "bases": [make_base(name) for name in BASES],
        "cases": [make_adapter(case) for case in CASES],
        "masks": [make_mask(ODD)],
    }
    (output / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"{len(index['bases'])} bases, {len(index['cases'])} adapters in {output}")


main()
