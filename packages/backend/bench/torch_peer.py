"""The models of workloads.ts, and products of matrices, in PyTorch, measured on demand for `pnpm bench:backend`.

    python torch_peer.py THREADS

Requests come as lines of JSON on standard input, answers go to standard output (protocol.ts says which). The parameters and data are
the numbers of workloads.ts to the bit, so the first losses have to agree. Weights are kept as PyTorch's own layers keep them.
"""

import json
import math
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from torch import Tensor
except ImportError as error:
    print(json.dumps({"fails": f"{sys.executable} has no PyTorch ({error})"}), flush=True)
    sys.exit()

Loss = Callable[[], Tensor]

#: Steps whose losses are compared: the first, and the one after an update.
CHECKS = 2


def noise(shape: list[int], seed: int, scale: float = 1, shift: float = 0) -> Tensor:
    """Numbers in [-scale, scale) that depend on nothing but their place."""
    i = np.arange(1, math.prod(shape) + 1, dtype=np.uint32)
    h = i * np.uint32(2654435761) ^ np.uint32((seed + 1) * 40503 * 65537 & 0xFFFFFFFF)
    h = (h ^ h >> np.uint32(15)) * np.uint32(2246822519)
    h = (h ^ h >> np.uint32(13)) * np.uint32(3266489917)
    h ^= h >> np.uint32(16)
    return torch.from_numpy(((h / 2147483648 - 1) * scale + shift).astype(np.float32).reshape(shape))


def integers(count: int, bound: int, seed: int) -> Tensor:
    i = np.arange(count, dtype=np.uint32) + np.uint32(seed * 7919)
    return torch.from_numpy((i * np.uint32(2654435761) % np.uint32(bound)).astype(np.int64))


class Model:
    """Makes parameters in the order of workloads.ts, whose seeds count up, and keeps them for the optimizer."""

    def __init__(self) -> None:
        self.parameters: list[Tensor] = []
        self.seed = 0

    def keep(self, value: Tensor) -> Tensor:
        self.parameters.append(value.contiguous().requires_grad_())
        return self.parameters[-1]

    def noise(self, shape: list[int], scale: float, shift: float = 0) -> Tensor:
        self.seed += 1
        return noise(shape, self.seed, scale, shift)

    def layer(self, inputs: int, *outputs: int) -> tuple[Tensor, Tensor]:
        """One layer, or several on the same inputs as one."""
        kernels = [self.noise([inputs, each], 1.4 / math.sqrt(inputs)).t() for each in outputs]
        return self.keep(torch.cat(kernels)), self.keep(torch.zeros(sum(outputs)))

    def scale(self, width: int) -> tuple[Tensor, Tensor]:
        return self.keep(torch.ones(width)), self.keep(torch.zeros(width))

    def finish(self, width: int, classes: int, rows: int) -> Callable[[Tensor], Tensor]:
        """Gate and head on top of a representation."""
        log_alpha = self.keep(self.noise([width], 0.5, 1))
        u = noise([width], 999, 0.45, 0.5)
        logit = torch.log(u) - torch.log(1 - u)
        head = self.layer(width, classes)
        labels = integers(rows, classes, 3)

        def loss(h: Tensor) -> Tensor:
            s = torch.sigmoid((logit + log_alpha) / (2 / 3))
            z = torch.clamp(s * 1.2 - 0.1, 0, 1)
            penalty = torch.sigmoid(log_alpha - 2 / 3 * math.log(0.1 / 1.1)).mean()
            return F.cross_entropy(F.linear(h * z, *head), labels) + penalty * 0.1

        return loss


def norm(x: Tensor, scale: tuple[Tensor, Tensor]) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], *scale, 1e-5)


class Block:
    def __init__(self, model: Model, width: int, inner: int, heads: int) -> None:
        self.norms = model.scale(width), model.scale(width)
        self.heads = heads
        # Query, key and value in one product, as torch.nn.MultiheadAttention does it.
        self.qkv = model.layer(width, width, width, width)
        self.out = model.layer(width, width)
        self.up = model.layer(width, inner)
        self.down = model.layer(inner, width)

    def __call__(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        qkv = F.linear(norm(x, self.norms[0]), *self.qkv).view(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, width)
        x = x + F.linear(y, *self.out)
        inner = F.gelu(F.linear(norm(x, self.norms[1]), *self.up))
        return x + F.linear(inner, *self.down)


def mlp(model: Model) -> Loss:
    layers = [model.layer(108, 256), model.layer(256, 128)]
    x = noise([1024, 108], 1)
    end = model.finish(128, 2, 1024)

    def loss() -> Tensor:
        h = x
        for layer in layers:
            h = F.relu(F.linear(h, *layer))
        return end(h)

    return loss


def feature_transformer(model: Model) -> Loss:
    blocks = [Block(model, 64, 128, 4) for _ in range(2)]
    last = model.scale(64)
    x = noise([256, 14, 64], 1)
    end = model.finish(64, 2, 256)

    def loss() -> Tensor:
        h = x
        for block in blocks:
            h = block(h)
        return end(norm(h[:, 0], last))

    return loss


def transformer(model: Model) -> Loss:
    batch, tokens, width = 32, 128, 128
    blocks = [Block(model, width, 4 * width, 2) for _ in range(4)]
    table = model.keep(model.noise([30522, width], 0.5))
    positions = model.keep(model.noise([tokens, width], 0.1))
    last = model.scale(width)
    words = integers(batch * tokens, 30522, 1).view(batch, tokens)
    end = model.finish(width, 2, batch)

    def loss() -> Tensor:
        h = F.embedding(words, table) + positions
        for block in blocks:
            h = block(h)
        return end(norm(h, last).mean(1))

    return loss


def trees(model: Model) -> Loss:
    batch, fan_outs, width = 128, [15, 10, 5], 256
    layers = [(model.layer(inputs, width), model.layer(inputs, width)) for inputs in (100, width, width)]
    counts = [batch]
    for fan_out in fan_outs:
        counts.append(counts[-1] * fan_out)
    features = [noise([count, 100], i + 1) for i, count in enumerate(counts)]
    end = model.finish(width, 47, batch)

    def loss() -> Tensor:
        levels = features
        for own, other in layers:
            around = [h.view(-1, fan_out, h.shape[1]).mean(1) for h, fan_out in zip(levels[1:], fan_outs)]
            levels = [F.relu(F.linear(h, *own) + F.linear(mean, *other)) for h, mean in zip(levels, around)]
        return end(levels[0])

    return loss


def graphs(model: Model) -> Loss:
    width, nodes, edges = 256, [1024, 13_000, 80_000, 250_000], [15_360, 130_000, 400_000]
    layers = [(model.layer(inputs, width), model.layer(inputs, width)) for inputs in (100, width, width)]
    x = noise([nodes[3], 100], 1)
    parents = []
    for k in (2, 1, 0):
        sources = integers(edges[k], nodes[k + 1], k + 5)
        targets = torch.arange(edges[k]) * nodes[k] // edges[k]
        share = 1 / torch.bincount(targets, minlength=nodes[k]).clamp(min=1).float()
        parents.append((sources, targets, share.view(-1, 1)))
    end = model.finish(width, 47, nodes[0])

    def loss() -> Tensor:
        h = x
        for (own, other), (sources, targets, share) in zip(layers, parents):
            rows = len(share)
            around = h.new_zeros(rows, h.shape[1]).index_add(0, targets, h.index_select(0, sources)) * share
            h = F.relu(F.linear(h[:rows], *own) + F.linear(around, *other))
        return end(h)

    return loss


MODELS = {
    "mlp": mlp,
    "featureTransformer": feature_transformer,
    "transformer": transformer,
    "trees": trees,
    "graphs": graphs,
}

Step = Callable[[], float]


def training(name: str) -> Step:
    model = Model()
    loss = MODELS[name](model)
    optimizer = torch.optim.Adam(model.parameters, lr=1e-3, eps=1e-7, fused=True)

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        optimizer.step()
        return value.item()

    return step


def product(a: list[int], b: list[int], transpose_a: bool, transpose_b: bool) -> tuple[Step, float]:
    """The step, and what it has to give: see worker.ts."""
    x, y = noise(a, 1), noise(b, 2)
    x, y = x.mT if transpose_a else x, y.mT if transpose_b else y

    def step() -> float:
        torch.matmul(x, y)
        return 0

    return step, torch.matmul(x, y).square().mean().item() / x.shape[-1]


def timed(step: Step) -> tuple[float, float]:
    start = time.perf_counter()
    value = step()
    return value, (time.perf_counter() - start) * 1e3


def answers(requests: Iterable[str]) -> Iterator[dict[str, object]]:
    step: Step | None = None
    for line in requests:
        request = json.loads(line)
        try:
            match request["command"]:
                case "prepare":
                    step = None
                    workload = request["workload"]
                    if "model" in workload:
                        step = training(workload["model"])
                        checks = [step() for _ in range(CHECKS - 1)]
                        value, ms = timed(step)
                        checks.append(value)
                    else:
                        step, check = product(
                            workload["a"], workload["b"], workload["transposeA"], workload["transposeB"]
                        )
                        checks, ms = [check], timed(step)[1]
                    if not all(map(math.isfinite, checks)):
                        raise ArithmeticError(f"the result is {checks}")
                    yield {"checks": checks, "ms": ms}
                case "measure":
                    if step is None:
                        raise RuntimeError("nothing is prepared")
                    for _ in range(request["untimed"]):
                        step()
                    times: list[float] = []
                    end = time.perf_counter() + request["limit"] / 1e3
                    while not times or (len(times) < request["repetitions"] and time.perf_counter() < end):
                        times.append(timed(step)[1])
                    yield {"times": times}
                case "release":
                    step = None
                    yield {"released": True}
                case other:
                    raise RuntimeError(f"no command {other}")
        except Exception as error:  # Anything that goes wrong is the answer; the next case may run.
            step = None
            yield {"fails": f"{type(error).__name__}: {error}"}


def main() -> None:
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
    runs = f"PyTorch {torch.__version__} on {threads} thread{'' if threads == 1 else 's'}, eager, {torch.backends.cpu.get_cpu_capability()}"
    print(json.dumps({"runs": runs, "versions": versions}), flush=True)
    for answer in answers(sys.stdin):
        print(json.dumps(answer, allow_nan=False), flush=True)


if __name__ == "__main__":
    main()
