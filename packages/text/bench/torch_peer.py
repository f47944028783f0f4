"""The models of cases.ts in PyTorch, measured on demand for `pnpm bench:text`.

    python torch_peer.py TASK    (PyTorch 2, transformers 4 or 5, safetensors)

TASK is the JSON of a Task; a line with a number asks for as many steps.
"""

import json
import platform
import resource
import sys
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BertModel

transformers.logging.set_verbosity_error()

task = json.loads(sys.argv[1])
case, rows, tokens = task["case"], task["rows"], task["tokens"]
torch.set_num_threads(task["threads"])
torch.manual_seed(0)
device = torch.device("cuda" if task["backend"] == "webgpu" else "cpu")
torch.set_default_device(device)
weights = load_file(task["weights"], device=str(device))


def linear(name: str) -> nn.Linear:
    kernel = weights[f"{name}/kernel"]
    layer = nn.Linear(*kernel.shape)
    with torch.no_grad():
        layer.weight.copy_(kernel.t())
        layer.bias.copy_(weights[f"{name}/bias"])
    return layer


def norm(name: str) -> nn.LayerNorm:
    layer = nn.LayerNorm(weights[f"{name}/scale"].shape, eps=1e-5)
    with torch.no_grad():
        layer.weight.copy_(weights[f"{name}/scale"])
        layer.bias.copy_(weights[f"{name}/shift"])
    return layer


def mean(hidden: Tensor) -> Tensor:
    share = mask[:, :, None].float()
    return (hidden * share).sum(1) / share.sum(1)


class Bert(nn.Module):
    """transformers' own, with its fused attention; trained as a whole, or from `first` on."""

    def __init__(self, trainable: int | None) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(task["model"], add_pooling_layer=False).float().to(device)
        self.projection, self.head = linear("projection"), linear("head")
        self.first = 0 if trainable is None else len(self.bert.encoder.layer) - trainable
        self.hidden: Tensor | None = None
        if trainable is not None:
            self.bert.eval()
            with torch.no_grad():
                self.hidden = self.through(self.bert.embeddings(ids), self.bert.encoder.layer[: self.first])
            self.bert.requires_grad_(False)
            self.bert.encoder.layer[self.first :].requires_grad_(True)

    @staticmethod
    def through(hidden: Tensor, layers: nn.ModuleList) -> Tensor:
        for layer in layers:
            result = layer(hidden)
            # A tuple up to transformers 4.
            hidden = result[0] if isinstance(result, tuple) else result
        return hidden

    def forward(self) -> Tensor:
        if self.hidden is None:
            last = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        else:
            last = self.through(self.hidden, self.bert.encoder.layer[self.first :])
        return self.head(self.projection(mean(last)))


class Block(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.attention_norm, self.feed_forward_norm = norm(f"{name}/attention_norm"), norm(f"{name}/feed_forward_norm")
        self.query, self.key, self.value, self.merge, self.rise, self.fall = (
            linear(f"{name}/{part}") for part in ("query", "key", "value", "merge", "rise", "fall")
        )

    def forward(self, x: Tensor, heads: int = 4, rate: float = 0.1) -> Tensor:
        normed = self.attention_norm(x)
        q, k, v = (
            part(normed).view(rows, tokens, heads, -1).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        attended = F.scaled_dot_product_attention(q, k, v, dropout_p=rate if self.training else 0)
        y = x + F.dropout(self.merge(attended.transpose(1, 2).reshape(x.shape)), rate, self.training)
        return y + F.dropout(self.fall(F.gelu(self.rise(self.feed_forward_norm(y)))), rate, self.training)


class Scratch(nn.Module):
    """The default of transformerEncoder."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(weights["words/table"], freeze=False)
        self.positions = nn.Parameter(weights["positions/table"])
        self.blocks = nn.ModuleList(Block(f"block{i}") for i in range(2))
        self.norm, self.projection, self.head = norm("norm"), linear("projection"), linear("head")

    def forward(self) -> Tensor:
        x = F.dropout(self.words(ids) + self.positions[:tokens], 0.1, self.training)
        for block in self.blocks:
            x = block(x)
        return self.head(self.projection(mean(self.norm(x))))


places = torch.arange(rows * tokens).view(rows, tokens)
ids, mask = 1000 + places * 7919 % 20_000, torch.ones(rows, tokens, dtype=torch.int64)
labels = torch.arange(rows) % 2
model = Bert(case.get("trainableLayers")) if case["model"] == "bert" else Scratch()
parameters = [each for each in model.parameters() if each.requires_grad]
optimizer = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.01, fused=True)


def train() -> None:
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(model(), labels)
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    loss.item()


@torch.inference_mode()
def infer() -> None:
    model()


def timed(step: Callable[[], None]) -> float:
    begin = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - begin) * 1e3


model.eval()
with torch.inference_mode():
    first_loss = F.cross_entropy(model(), labels).item()
versions = {
    "torch": torch.__version__,
    "transformers": transformers.__version__,
    "python": platform.python_version(),
}
print(json.dumps({"loss": first_loss, "versions": versions}), flush=True)
model.train(case["training"])
for line in sys.stdin:
    times = [timed(train if case["training"] else infer) for _ in range(int(line))]
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Kibibytes, on Linux.
    peak, seconds = used.ru_maxrss * 1024, used.ru_utime + used.ru_stime
    print(json.dumps({"times": times, "peakBytes": peak, "processorSeconds": seconds}), flush=True)
