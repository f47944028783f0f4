"""Neighbour sampling by PyTorch Geometric, measured on demand for `pnpm bench:sampler`.

    python pyg_peer.py FOLDER BATCH FAN_OUT...

FOLDER holds `offsets.npy`, `neighbors.npy` (row i lists the nodes from which node i receives) and `seeds.npy`. Requests come as lines of
JSON on standard input, `{"loader": "NeighborLoader", "workers": 0, "first": 0, "batches": 20}`; answers go to standard output. One thread
samples, or the workers that are asked for.
"""

import json
import platform
import sys
import time
import warnings
from importlib.metadata import PackageNotFoundError, version

try:
    import numpy as np
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch_geometric
        import torch_geometric.typing
        from torch_geometric.data import Data
        from torch_geometric.loader import NeighborLoader, NeighborSampler
        from torch_sparse import SparseTensor
except ImportError as error:
    print(json.dumps({"fails": f"{sys.executable}: {error}"}), flush=True)
    sys.exit()


def main(folder: str, batch: int, fan_out: list[int]) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    offsets, neighbors, seeds = (
        torch.from_numpy(np.load(f"{folder}/{name}.npy").astype(np.int64)) for name in ("offsets", "neighbors", "seeds")
    )
    nodes = len(offsets) - 1
    adjacency = SparseTensor(rowptr=offsets, col=neighbors, sparse_sizes=(nodes, nodes), is_sorted=True, trust_data=True)
    data = Data(num_nodes=nodes, adj_t=adjacency)

    def measure(loader: str, workers: int, first: int, batches: int) -> dict[str, float]:
        chosen = seeds[first * batch : (first + batches) * batch]
        begin = time.perf_counter()
        edges = reached = 0
        if loader == "NeighborLoader":
            for each in NeighborLoader(data, fan_out, input_nodes=chosen, batch_size=batch, num_workers=workers):
                edges += each.adj_t.nnz() if "adj_t" in each else each.edge_index.size(1)
                reached += each.num_nodes
        else:
            options = {"node_idx": chosen, "sizes": fan_out, "batch_size": batch, "num_workers": workers}
            for _, ids, blocks in NeighborSampler(adjacency, **options):
                edges += sum(block.adj_t.nnz() for block in blocks)
                reached += len(ids)
        return {"seconds": time.perf_counter() - begin, "edges": edges, "nodes": reached}

    versions = {"python": platform.python_version()}
    for package in ("torch", "torch_geometric", "torch_sparse", "pyg_lib"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    print(json.dumps({"versions": versions}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(measure(**request)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), [int(each) for each in sys.argv[3:]])
