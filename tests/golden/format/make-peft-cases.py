"""Writes peft-cases.json: what PEFT itself saves for tiny encoders of each family.

Needs torch, transformers and peft (versions are stamped into the file). Run: python make-peft-cases.py OUTPUT
Per case: the saved adapter_config.json (fields that differ from the defaults), tensor names with shapes, and for each adapted
module the rank and scale that PEFT computed. Per checkpoint class: the names and shapes of its state_dict.
"""
import json, os, sys, tempfile, warnings
import peft, torch, transformers
from peft import IA3Config, LoraConfig, get_peft_model
from safetensors import safe_open
from transformers import AutoConfig
import transformers as tf

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
S = dict(vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
         max_position_embeddings=16, type_vocab_size=2, pad_token_id=0)
FAMILIES = {
    "bert": ("Bert", S),
    "distilbert": ("DistilBert", dict(vocab_size=20, dim=8, n_layers=2, n_heads=2, hidden_dim=12, max_position_embeddings=16)),
    "roberta": ("Roberta", dict(S, type_vocab_size=1, pad_token_id=1)),
    "xlm-roberta": ("XLMRoberta", dict(S, type_vocab_size=1, pad_token_id=1)),
    "albert": ("Albert", dict(S, embedding_size=6, num_hidden_groups=1)),
    "electra": ("Electra", dict(S, embedding_size=6)),
}
Q = {"distilbert": ["q_lin", "v_lin"]}
K = {"distilbert": ["k_lin", "v_lin", "ffn.lin2"], "albert": ["key", "value", "ffn_output"]}
FF = {"distilbert": ["ffn.lin2"], "albert": ["ffn_output"]}

def build(family, cls, **kw):
    name, sizes = FAMILIES[family]
    model_class = getattr(tf, name + cls)
    config = AutoConfig.for_model(family, **sizes, **kw)
    torch.manual_seed(0)
    return model_class(config)

def lora(**kw):
    return lambda family, task: LoraConfig(task_type=task, **{k: (v(family) if callable(v) else v) for k, v in kw.items()})

q = lambda f: Q.get(f, ["query", "value"])
VARIANTS = {
    "default": lora(r=2, lora_alpha=3, target_modules=q),
    "all-linear": lora(r=2, lora_alpha=4, target_modules="all-linear"),
    "all-linear-no-pooler": lora(r=2, lora_alpha=4, target_modules="all-linear", exclude_modules=".*pooler.*"),
    "rslora-dora": lora(r=4, lora_alpha=3, use_rslora=True, use_dora=True, target_modules=q),
    "bias-all": lora(r=2, lora_alpha=3, bias="all", target_modules=q),
    "bias-lora-only": lora(r=2, lora_alpha=3, bias="lora_only", target_modules=q),
    "lora-bias": lora(r=2, lora_alpha=3, lora_bias=True, target_modules=q),
    "embeddings": lora(r=2, lora_alpha=3, target_modules=lambda f: q(f) + ["word_embeddings", "position_embeddings"]),
    "patterns": lora(r=2, lora_alpha=3, target_modules=q,
                     rank_pattern=lambda f: {q(f)[0]: 3, "0.*" + q(f)[1]: 4}, alpha_pattern=lambda f: {".*0.*": 7, q(f)[1]: 5}),
    "save-pooler": lora(r=2, lora_alpha=3, target_modules=q, modules_to_save=["pooler"]),
    "ia3": lambda f, task: IA3Config(task_type=task, target_modules=K.get(f, ["key", "value", "output.dense"]),
                                     feedforward_modules=FF.get(f, ["output.dense"])),
}
LAST = lora(r=2, lora_alpha=3, layers_to_transform=[1], target_modules=q)
LAST_NAMED = lora(r=2, lora_alpha=3, layers_to_transform=1, layers_pattern="layer", target_modules=q)
REGEX = lora(r=2, lora_alpha=3, target_modules=r"(?!.*pooler).*(1|albert_layers\.0)\..*(query|q_lin|dense|lin[12]|ffn_output)")

def case(family, cls, task, variant, make):
    model = build(family, cls, **({"num_labels": 3} if cls.startswith("For") else {}))
    wrapped = get_peft_model(model, make(family, task))
    modules = {}
    for name, module in wrapped.base_model.model.named_modules():
        scaling = getattr(module, "scaling", None)
        if isinstance(scaling, dict) and "default" in scaling:
            modules[name] = [module.r["default"], scaling["default"]]
        elif hasattr(module, "ia3_l") and "default" in module.ia3_l:
            modules[name] = "feedforward" if module.is_feedforward else "output"
    with tempfile.TemporaryDirectory() as folder:
        wrapped.save_pretrained(folder)
        config = json.load(open(os.path.join(folder, "adapter_config.json")))
        with safe_open(os.path.join(folder, "adapter_model.safetensors"), "pt") as file:
            tensors = {key: list(file.get_slice(key).get_shape()) for key in sorted(file.keys())}
    config = {key: value for key, value in config.items() if value not in (None, False, {})}
    for key in ("target_modules", "exclude_modules", "feedforward_modules", "modules_to_save"):
        if isinstance(config.get(key), list): config[key] = sorted(config[key])
    return {"family": family, "class": cls, "variant": variant, "config": config, "modules": modules, "tensors": tensors}

cases, skipped, checkpoints = [], [], []
for family in FAMILIES:
    plans = [("ForSequenceClassification", "SEQ_CLS", v, m) for v, m in VARIANTS.items()]
    plans += [("ForTokenClassification", "TOKEN_CLS", v, m) for v, m in
              (("default", VARIANTS["default"]), ("all-linear", VARIANTS["all-linear"]), ("last", LAST), ("last-named", LAST_NAMED), ("regex", REGEX))]
    plans += [("Model", "FEATURE_EXTRACTION", v, VARIANTS[v]) for v in ("default", "all-linear", "bias-all")]
    if family == "xlm-roberta": plans = plans[:1] + plans[-2:]  # the same modules as RoBERTa
    for plan in plans:
        try: cases.append(case(family, *plan))
        except Exception as error: skipped.append([family, plan[0], plan[2], f"{type(error).__name__}: {str(error)[:160]}"])
    for cls in ("Model", "ForMaskedLM", "ForPreTraining", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice", "ForNextSentencePrediction"):
        if not hasattr(tf, FAMILIES[family][0] + cls): continue
        model = build(family, cls)
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            config = json.load(open(os.path.join(folder, "config.json")))
            with safe_open(os.path.join(folder, "model.safetensors"), "pt") as file:
                tensors = {key: list(file.get_slice(key).get_shape()) for key in sorted(file.keys())}
        buffers = sorted(set(n for n, _ in model.named_buffers()))
        checkpoints.append({"family": family, "class": cls, "config": config, "buffers": buffers, "tensors": tensors})
out = {"versions": {"peft": peft.__version__, "transformers": transformers.__version__, "torch": torch.__version__},
       "cases": cases, "refused_by_peft": skipped, "checkpoints": checkpoints}
json.dump(out, open(sys.argv[1], "w"), separators=(",", ":"))
