"""Trains an adapter with PEFT on JSON lines, for Rootstock to serve: docs/peft.md.

    python train.py --encoder encoder --train train.jsonl --dev dev.jsonl --out adapter
    torchrun --nproc-per-node 4 train.py …                                               several GPUs of one machine
    torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-endpoint HOST:PORT train.py …    on each of two

Rows are Rootstock's: {"tokens", "tags"} (BIO), {"text", "label"} or {"text", "labels": []}. Needs torch, transformers, peft, accelerate.
Written: what PEFT saves, config.json with the labels, and metrics.json with the result on dev.
"""
import argparse
import json
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed
from peft import IA3Config, LoraConfig, get_peft_model
from transformers import (
    AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer, get_linear_schedule_with_warmup,
)


def arguments():
    parser = argparse.ArgumentParser(description="PEFT adapters for Rootstock")
    parser.add_argument("--encoder", required=True, help="folder or name of the encoder that will serve, in float32")
    parser.add_argument("--train", required=True, type=Path)
    parser.add_argument("--dev", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--method", choices=["lora", "dora", "ia3"], default="lora")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--alpha", type=float, default=16)
    parser.add_argument("--rslora", action="store_true")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--targets", nargs="+", default=["query", "value"])
    parser.add_argument("--layers", type=int, default=3, help="the last N; fewer make more of a request common to all tasks")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--batch-size", type=int, default=32, help="of one process")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def read_rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


class Task:
    """What the first row says: entities, classes, or labels that do not exclude each other."""

    def __init__(self, rows):
        first = rows[0]
        self.kind = "ner" if "tags" in first else "labels" if "labels" in first else "label"
        if self.kind == "ner":
            types = sorted({tag[2:] for row in rows for tag in row["tags"] if tag != "O"})
            self.labels = ["O", *(f"{prefix}-{name}" for name in types for prefix in "BI")]
        elif self.kind == "label":
            self.labels = sorted({row["label"] for row in rows})
        else:
            self.labels = sorted({label for row in rows for label in row["labels"]})
        self.ids = {label: index for index, label in enumerate(self.labels)}
        self.metric = {"ner": "span_f1", "label": "accuracy", "labels": "micro_f1"}[self.kind]

    def model(self, encoder):
        kind = AutoModelForTokenClassification if self.kind == "ner" else AutoModelForSequenceClassification
        problem = {} if self.kind == "ner" else {"problem_type": self.problem}
        names = {"id2label": dict(enumerate(self.labels)), "label2id": self.ids}
        # Whatever the file has: float16 would not bear training.
        model = kind.from_pretrained(encoder, num_labels=len(self.labels), dtype=torch.float32, **names, **problem)
        # PEFT writes it down, and a path of this machine is nobody else's business.
        if Path(encoder).exists():
            model.name_or_path = model.config._name_or_path = Path(encoder).resolve().name
        return model

    @property
    def problem(self):
        return "single_label_classification" if self.kind == "label" else "multi_label_classification"

    def batch(self, rows, tokenizer, max_length):
        """Tokens and labels; of a word the first token has its tag, the others none."""
        words = self.kind == "ner"
        texts = [row["tokens"] if words else row["text"] for row in rows]
        batch = tokenizer(texts, is_split_into_words=words, truncation=True, max_length=max_length, padding=True, return_tensors="pt")
        if self.kind == "label":
            batch["labels"] = torch.tensor([self.ids.get(row["label"], -100) for row in rows])
        elif self.kind == "labels":
            batch["labels"] = torch.tensor([[float(label in row["labels"]) for label in self.labels] for row in rows])
        else:
            labels = torch.full(batch["input_ids"].shape, -100)
            for number, row in enumerate(rows):
                seen = -1
                for place, word in enumerate(batch.word_ids(number)):
                    if word is not None and word != seen:
                        labels[number, place] = self.ids.get(row["tags"][word], 0)
                        seen = word
            batch["labels"] = labels
        return batch

    def predictions(self, logits, batch, rows):
        """In the form of the rows. Words that were cut off are O."""
        if self.kind == "label":
            return [self.labels[index] for index in logits.argmax(-1).tolist()]
        if self.kind == "labels":
            return [[self.labels[i] for i, logit in enumerate(row) if logit >= 0] for row in logits.tolist()]
        made = []
        for row, best, labels in zip(rows, logits.argmax(-1), batch["labels"]):
            tags = [self.labels[index] for index in best[labels != -100].tolist()]
            made.append(tags + ["O"] * (len(row["tokens"]) - len(tags)))
        return made

    def score(self, rows, predictions):
        if self.kind == "label":
            return sum(row["label"] == made for row, made in zip(rows, predictions)) / len(rows)
        sets = spans if self.kind == "ner" else set
        gold = [sets(row["tags" if self.kind == "ner" else "labels"]) for row in rows]
        made = [sets(prediction) for prediction in predictions]
        right = sum(len(a & b) for a, b in zip(gold, made))
        return 2 * right / max(1, sum(map(len, gold)) + sum(map(len, made)))


def spans(tags):
    """(type, first word, end) of BIO tags; an I- that continues nothing begins an entity, as seqeval and Rootstock have it."""
    found, start = set(), 0
    for place, (before, tag) in enumerate(zip(["O", *tags], [*tags, "O"])):
        if before != "O" and (tag[0] != "I" or tag[2:] != before[2:]):
            found.add((before[2:], start, place))
        if tag != "O" and (tag[0] == "B" or tag[2:] != before[2:]):
            start = place
    return found


def adapter_config(options, task, layers):
    kind = "TOKEN_CLS" if task.kind == "ner" else "SEQ_CLS"
    if options.method == "ia3":
        return IA3Config(task_type=kind)
    return LoraConfig(
        task_type=kind, r=options.rank, lora_alpha=options.alpha, lora_dropout=options.dropout, use_rslora=options.rslora,
        use_dora=options.method == "dora", target_modules=options.targets,
        layers_to_transform=list(range(max(0, layers - options.layers), layers)), layers_pattern="layer",
    )


def evaluate(accelerator, model, task, loader):
    """Predictions for all rows of dev, on every process."""
    model.eval()
    found = []
    for numbers, rows, batch in loader:
        with torch.no_grad():
            logits = model(**{name: values.to(accelerator.device) for name, values in batch.items() if name != "labels"}).logits
        found += zip(numbers, task.predictions(logits.float().cpu(), batch, rows))
    model.train()
    return [made for _, made in sorted(gather_object(found))]


def main():
    options = arguments()
    # Processes without a GPU meet by gloo, those with one by NCCL.
    accelerator = Accelerator(cpu=not torch.cuda.is_available())
    set_seed(options.seed)
    rows, dev = read_rows(options.train), read_rows(options.dev)
    task = Task(rows)
    tokenizer = AutoTokenizer.from_pretrained(options.encoder, add_prefix_space=True)
    model = task.model(options.encoder)
    model = get_peft_model(model, adapter_config(options, task, model.config.num_hidden_layers))
    accelerator.print(f"{len(rows)} rows, {len(task.labels)} labels, {sum(p.numel() for p in model.parameters() if p.requires_grad):,} values to train")

    def collate(chosen):
        return task.batch([rows[number] for number in chosen], tokenizer, options.max_length)

    loader = torch.utils.data.DataLoader(range(len(rows)), batch_size=options.batch_size, shuffle=True, collate_fn=collate)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=options.learning_rate)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    steps = options.epochs * len(loader)
    schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)
    # Each process takes every so many-th row of dev.
    own = range(accelerator.process_index, len(dev), accelerator.num_processes)
    chunks = [list(own[at:at + options.batch_size]) for at in range(0, len(own), options.batch_size)]

    def dev_batches():
        for numbers in chunks:
            chosen = [dev[number] for number in numbers]
            yield numbers, chosen, task.batch(chosen, tokenizer, options.max_length)

    best = -1.0
    for epoch in range(1, options.epochs + 1):
        for batch in loader:
            loss = model(**batch).loss
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        predictions = evaluate(accelerator, model, task, dev_batches())
        value = task.score(dev, predictions)
        accelerator.print(f"epoch {epoch}: loss {loss.item():.4f}, {task.metric} {value:.4f} on dev")
        if value > best:
            best = value
            if accelerator.is_main_process:
                save(options, task, accelerator.unwrap_model(model), {"metric": task.metric, "value": value, "epoch": epoch, "predictions": predictions})
    accelerator.end_training()


def save(options, task, model, result):
    """PEFT's folder, and beside it what Rootstock reads: labels, and how many tokens were read of a row."""
    model.save_pretrained(options.out)
    labels = {"id2label": dict(enumerate(task.labels)), "label2id": task.ids, "max_length": options.max_length}
    if task.kind != "ner":
        labels["problem_type"] = task.problem
    (options.out / "config.json").write_text(json.dumps(labels, indent=2) + "\n", encoding="utf-8")
    (options.out / "metrics.json").write_text(json.dumps(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
