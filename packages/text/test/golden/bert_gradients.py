"""Makes bert-gradients.json: a small BERT with random weights, and PyTorch's gradient of a loss for each of them.

usage: python bert_gradients.py > bert-gradients.json    (PyTorch 2; computed in float64)

The weights have the names and the layout of Hugging Face. The loss is the mean over rows and numbers of (mean-pooled embedding)
* weights, so that every number of the output counts in its own way.
"""

import json
import math

import torch
from torch.nn import functional as F

torch.manual_seed(7)
SIZES = dict(vocab_size=23, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
             max_position_embeddings=9, type_vocab_size=2)
EPSILON = 1e-12
H, I, LAYERS, HEADS = (SIZES[k] for k in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"))

weights = {}


def weight(name, *shape, centre=0.0, spread=0.4):
    # Rounded, so that the file is short and float32 holds the numbers as they are read.
    values = torch.round((centre + spread * torch.randn(*shape, dtype=torch.float64)) * 4096) / 4096
    weights[name] = values.requires_grad_()


def linear(name, outputs, inputs):
    weight(f"{name}.weight", outputs, inputs)
    weight(f"{name}.bias", outputs)


def norm(name):
    weight(f"{name}.weight", H, centre=1.0, spread=0.2)
    weight(f"{name}.bias", H, spread=0.2)


weight("embeddings.word_embeddings.weight", SIZES["vocab_size"], H)
weight("embeddings.position_embeddings.weight", SIZES["max_position_embeddings"], H)
weight("embeddings.token_type_embeddings.weight", SIZES["type_vocab_size"], H)
norm("embeddings.LayerNorm")
for i in range(LAYERS):
    path = f"encoder.layer.{i}"
    for part in ("query", "key", "value"):
        linear(f"{path}.attention.self.{part}", H, H)
    linear(f"{path}.attention.output.dense", H, H)
    norm(f"{path}.attention.output.LayerNorm")
    linear(f"{path}.intermediate.dense", I, H)
    linear(f"{path}.output.dense", H, I)
    norm(f"{path}.output.LayerNorm")

ids = torch.tensor([[2, 7, 11, 5, 3], [2, 19, 3, 0, 0], [2, 7, 7, 3, 0]])
mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], dtype=torch.float64)
output_weights = torch.round(torch.randn(3, H, dtype=torch.float64) * 256) / 256


def apply_linear(name, x):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def apply_norm(name, x):
    return F.layer_norm(x, (H,), weights[f"{name}.weight"], weights[f"{name}.bias"], EPSILON)


def heads(x):
    return x.reshape(x.shape[0], x.shape[1], HEADS, H // HEADS).transpose(1, 2)


x = weights["embeddings.word_embeddings.weight"][ids]
x = x + weights["embeddings.position_embeddings.weight"][: ids.shape[1]] + weights["embeddings.token_type_embeddings.weight"][0]
x = apply_norm("embeddings.LayerNorm", x)
for i in range(LAYERS):
    path = f"encoder.layer.{i}"
    q, k, v = (heads(apply_linear(f"{path}.attention.self.{part}", x)) for part in ("query", "key", "value"))
    scores = q @ k.transpose(2, 3) / math.sqrt(H // HEADS) + torch.where(mask[:, None, None, :] > 0, 0.0, -math.inf)
    attended = (torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(x.shape)
    y = apply_norm(f"{path}.attention.output.LayerNorm", x + apply_linear(f"{path}.attention.output.dense", attended))
    risen = F.gelu(apply_linear(f"{path}.intermediate.dense", y))
    x = apply_norm(f"{path}.output.LayerNorm", y + apply_linear(f"{path}.output.dense", risen))
pooled = (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
loss = (pooled * output_weights).mean()
loss.backward()


def numbers(tensor, digits):
    return [float(f"{value:.{digits}g}") for value in tensor.detach().flatten().tolist()]


config = dict(SIZES, model_type="bert", hidden_act="gelu", layer_norm_eps=EPSILON)
print(json.dumps({
    "made_with": f"bert_gradients.py, torch {torch.__version__.split('+')[0]}, float64",
    "config": config,
    "ids": ids.tolist(),
    "mask": mask.tolist(),
    "outputWeights": numbers(output_weights, 9),
    "loss": loss.item(),
    "pooled": numbers(pooled, 9),
    "weights": {name: {"shape": list(w.shape), "values": numbers(w, 9), "gradient": numbers(w.grad, 7)} for name, w in weights.items()},
}, separators=(",", ":")))
