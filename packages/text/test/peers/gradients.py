"""PyTorch's gradient of a loss on a pretrained BERT, beside one that was computed elsewhere: asked by gradients.ts in a line of JSON.

usage: python gradients.py    (PyTorch 2, transformers 4, safetensors)

Everything is compared with PyTorch's gradient in float64. `variants` are what PyTorch gives with one thing changed, to see what a difference
of a given size may come from.
"""

import json
import sys

import numpy as np
import torch
import transformers
from safetensors.torch import load_file
from torch import Tensor
from transformers import BertModel

Gradients = dict[str, Tensor]

transformers.logging.set_verbosity_error()

request = json.loads(sys.stdin.readline())
ids, mask = torch.tensor(request["ids"]), torch.tensor(request["mask"])
labels = torch.tensor(request["labels"])
head = torch.tensor(request["head"], dtype=torch.float64)


def model_of(dtype: torch.dtype) -> BertModel:
    return BertModel.from_pretrained(request["folder"], add_pooling_layer=False, torch_dtype=dtype).eval()


def gradients_of(model: BertModel) -> tuple[float, Gradients]:
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    share = mask[:, :, None].to(hidden.dtype)
    pooled = (hidden * share).sum(1) / share.sum(1)
    loss = torch.nn.functional.cross_entropy(pooled @ head.to(hidden.dtype), labels)
    loss.backward()
    return loss.item(), {name: each.grad.double() for name, each in model.named_parameters()}


def norm_of(gradients: Gradients) -> float:
    return sum(each.square().sum().item() for each in gradients.values()) ** 0.5


def compared(loss: float, gradients: Gradients) -> dict[str, float]:
    error = norm_of({name: gradients[name] - each for name, each in exact.items()})
    return {
        "loss": loss - exact_loss,
        "norm": norm_of(gradients) / exact_norm - 1,
        "vector": error / exact_norm,
    }


def in_order(gradients: Gradients) -> float:
    """The norm when the squares of each parameter are added one by one in float32."""
    squares = (np.square(each.flatten().numpy().astype(np.float32)) for each in gradients.values())
    # cumsum adds in order, unlike sum, which adds in pairs.
    return sum(float(np.cumsum(each, dtype=np.float32)[-1]) for each in squares) ** 0.5


class ErfByPolynomial(torch.autograd.Function):
    """Abramowitz and Stegun 7.1.26, the erf of TensorFlow.js, whose derivative is exact."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        t = 1 / (1 + 0.3275911 * x.abs())
        poly = ((((1.061405429 * t - 1.453152027) * t) + 1.421413741) * t - 0.284496736) * t + 0.254829592
        return x.sign() * (1 - poly * t * torch.exp(-x * x))

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * 2 / torch.pi**0.5 * torch.exp(-x * x)


class GeluByPolynomial(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + ErfByPolynomial.apply(x / 2**0.5)) / 2


def with_activation(activation: torch.nn.Module) -> BertModel:
    model = model_of(torch.float64)
    for layer in model.encoder.layer:
        layer.intermediate.intermediate_act_fn = activation
    return model


def with_epsilon(epsilon: float) -> BertModel:
    model = model_of(torch.float64)
    for module in model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = epsilon
    return model


def before_rounding(seed: int) -> BertModel:
    """Moves every number of a matrix within what float16 rounds to it, as if the file held the weights before they were rounded."""
    model = model_of(torch.float64)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in model.parameters():
            if each.dim() > 1:
                unit = 2.0 ** (torch.floor(torch.log2(each.abs().clamp(min=2.0**-14))) - 10)
                each += (torch.rand(each.shape, generator=generator, dtype=each.dtype) - 0.5) * unit
    return model


exact_loss, exact = gradients_of(model_of(torch.float64))
exact_norm = norm_of(exact)
results = {"PyTorch, float32": compared(*gradients_of(model_of(torch.float32)))}
parts: dict[str, list[dict[str, object]]] = {}
for name, loss, file in request["ours"]:
    ours = {name: each.double() for name, each in load_file(file).items()}
    if ours.keys() != exact.keys():
        raise SystemExit(f"{name} and PyTorch name different parameters: {sorted(ours.keys() ^ exact.keys())}")
    results[name] = compared(loss, ours)
    parts[name] = sorted(
        (
            {
                "name": part,
                "share": (each.norm() / exact_norm).item(),
                "norm": (ours[part].norm() / each.norm() - 1).item(),
                "vector": ((ours[part] - each).norm() / each.norm()).item(),
            }
            for part, each in exact.items()
        ),
        key=lambda part: -part["vector"],
    )

models = {
    "GELU by tanh": with_activation(torch.nn.GELU("tanh")),
    "erf by the polynomial of TensorFlow.js": with_activation(GeluByPolynomial()),
    "epsilon 1e-7 in layer normalisation": with_epsilon(1e-7),
    "epsilon 1e-5 in layer normalisation": with_epsilon(1e-5),
    **{f"weights before rounding to float16, simulated, seed {seed}": before_rounding(seed) for seed in range(3)},
    "computed in bfloat16": model_of(torch.bfloat16),
}
variants = {name: compared(*gradients_of(model)) for name, model in models.items()}
variants["squares added up one by one in float32"] = {"loss": 0, "norm": in_order(exact) / exact_norm - 1, "vector": 0}

print(
    json.dumps(
        {
            "loss": exact_loss,
            "norm": exact_norm,
            "results": results,
            "parts": parts,
            "variants": variants,
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        }
    )
)
