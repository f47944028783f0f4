"""Neighbour sampling by another library, measured on demand for `pnpm bench:sampler`.

    python sampler_peer.py dgl|pyg FOLDER BATCH FAN_OUT...

FOLDER holds `offsets.npy`, `neighbors.npy` (row i lists the nodes from which node i receives) and `seeds.npy`. Requests come as lines of
JSON on standard input, `{"loader": "NeighborLoader", "workers": 0, "first": 0, "batches": 20}`; answers go to standard output. One thread
samples, or the workers that are asked for.
"""

import json
import os
import platform
import sys
import time
import warnings
from importlib.metadata import PackageNotFoundError, version

os.environ.setdefault("DGLBACKEND", "pytorch")
# One thread a sampler, as ours.
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")


def dgl_loaders(offsets, neighbors, fan_out):
    import dgl
    import torch

    dgl.seed(1)
    graph = dgl.graph(("csc", (offsets, neighbors, torch.empty(0, dtype=torch.int64)))).formats("csc")
    # DGL's list begins at the features, ours and PyTorch Geometric's at the nodes of the batch.
    sampler = dgl.dataloading.NeighborSampler(fan_out[::-1])

    def neighbor_sampler(seeds, batch, workers):
        options = {"batch_size": batch, "shuffle": False, "drop_last": False, "num_workers": workers}
        for ids, _, blocks in dgl.dataloading.DataLoader(graph, seeds, sampler, **options):
            yield sum(block.num_edges() for block in blocks), len(ids)

    return {"NeighborSampler": neighbor_sampler}


def pyg_loaders(offsets, neighbors, fan_out):
    from torch_geometric.data import Data
    from torch_geometric.loader import NeighborLoader, NeighborSampler
    from torch_sparse import SparseTensor

    nodes = len(offsets) - 1
    adjacency = SparseTensor(rowptr=offsets, col=neighbors, sparse_sizes=(nodes, nodes), is_sorted=True, trust_data=True)
    data = Data(num_nodes=nodes, adj_t=adjacency)

    def neighbor_loader(seeds, batch, workers):
        for each in NeighborLoader(data, fan_out, input_nodes=seeds, batch_size=batch, num_workers=workers):
            yield each.adj_t.nnz() if "adj_t" in each else each.edge_index.size(1), each.num_nodes

    def neighbor_sampler(seeds, batch, workers):
        options = {"node_idx": seeds, "sizes": fan_out, "batch_size": batch, "num_workers": workers}
        for _, ids, blocks in NeighborSampler(adjacency, **options):
            yield sum(block.adj_t.nnz() for block in blocks), len(ids)

    return {"NeighborLoader": neighbor_loader, "NeighborSampler": neighbor_sampler}


LIBRARIES = {
    "dgl": (dgl_loaders, ["torch", "dgl"]),
    "pyg": (pyg_loaders, ["torch", "torch_geometric", "torch_sparse", "pyg_lib"]),
}


def versions_of(packages: list[str]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def main(library: str, folder: str, batch: int, fan_out: list[int]) -> None:
    make_loaders, packages = LIBRARIES[library]
    try:
        import numpy as np
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(1)
        offsets, neighbors, seeds = (
            torch.from_numpy(np.load(f"{folder}/{name}.npy").astype(np.int64)) for name in ("offsets", "neighbors", "seeds")
        )
        loaders = make_loaders(offsets, neighbors, fan_out)
    except ImportError as error:
        print(json.dumps({"fails": f"{sys.executable}: {error}"}), flush=True)
        return

    print(json.dumps({"versions": versions_of(packages)}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        first, batches = request["first"], request["batches"]
        chosen = seeds[first * batch : (first + batches) * batch]
        begin, before = time.perf_counter(), time.process_time()
        edges = nodes = 0
        for more_edges, more_nodes in loaders[request["loader"]](chosen, batch, request["workers"]):
            edges += more_edges
            nodes += more_nodes
        seconds, processor_seconds = time.perf_counter() - begin, time.process_time() - before
        answer = {"seconds": seconds, "processorSeconds": processor_seconds, "edges": edges, "nodes": nodes}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), [int(each) for each in sys.argv[4:]])
