"""Neighbour sampling by DGL, measured on demand for `pnpm bench:sampler --dgl PYTHON`.

    python dgl_peer.py FOLDER BATCH FAN_OUT...

As pyg_peer.py, with the loader "NeighborSampler": its blocks are those of ours, since every node draws anew in every layer.
"""

import json
import os
import platform
import sys
import time
import warnings

os.environ.setdefault("DGLBACKEND", "pytorch")
# One thread a sampler, as the others.
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")

try:
    import numpy as np
    import torch
    import dgl
except ImportError as error:
    print(json.dumps({"fails": f"{sys.executable}: {error}"}), flush=True)
    sys.exit()


def main(folder: str, batch: int, fan_out: list[int]) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    dgl.seed(1)
    offsets, neighbors, seeds = (
        torch.from_numpy(np.load(f"{folder}/{name}.npy").astype(np.int64)) for name in ("offsets", "neighbors", "seeds")
    )
    graph = dgl.graph(("csc", (offsets, neighbors, torch.empty(0, dtype=torch.int64)))).formats("csc")
    # DGL's list begins at the features, ours and PyTorch Geometric's at the nodes of the batch.
    sampler = dgl.dataloading.NeighborSampler(fan_out[::-1])

    def measure(loader: str, workers: int, first: int, batches: int) -> dict[str, float]:
        chosen = seeds[first * batch : (first + batches) * batch]
        options = {"batch_size": batch, "shuffle": False, "drop_last": False, "num_workers": workers}
        begin = time.perf_counter()
        edges = reached = 0
        for ids, _, blocks in dgl.dataloading.DataLoader(graph, chosen, sampler, **options):
            edges += sum(block.num_edges() for block in blocks)
            reached += len(ids)
        return {"seconds": time.perf_counter() - begin, "edges": edges, "nodes": reached}

    versions = {"python": platform.python_version(), "torch": torch.__version__, "dgl": dgl.__version__}
    print(json.dumps({"versions": versions}), flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), [int(each) for each in sys.argv[3:]])
