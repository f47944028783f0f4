"""Writes Cora, as the Python package graphdatascience carries it, in the raw layout of ogbn-products.

    python3 -m venv venv && venv/bin/pip install graphdatascience==2.2 pyarrow pandas
    venv/bin/python convert.py [FOLDER]

The same package gives the same bytes: the gzip files carry no name and no time.
"""

import gzip
import sys
from importlib.resources import files
from pathlib import Path

import pandas as pd

# In the order of the numbers that the package gives the subjects.
CLASSES = [
    "Neural networks",
    "Rule learning",
    "Reinforcement learning",
    "Probabilistic methods",
    "Theory",
    "Genetic algorithms",
    "Case-based",
]


def write(folder: Path, name: str, lines: list[str]) -> None:
    path = folder / f"{name}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as out:
        out.write(("\n".join(lines) + "\n").encode())


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    source = files("graphdatascience") / "resources" / "cora"
    nodes = pd.read_parquet(source / "cora_nodes.parquet.gzip")
    citations = pd.read_parquet(source / "cora_rels.parquet.gzip")
    index = {node: i for i, node in enumerate(nodes["nodeId"])}
    ends = zip(citations["sourceNodeId"].map(index), citations["targetNodeId"].map(index), strict=True)
    # A pair of papers that cite each other is one edge, as a graph without direction has it.
    edges = sorted({(min(a, b), max(a, b)) for a, b in ends if a != b})
    write(folder, "raw/edge", [f"{a},{b}" for a, b in edges])
    write(folder, "raw/node-feat", [",".join(str(int(x)) for x in row) for row in nodes["features"]])
    write(folder, "raw/node-label", [str(subject) for subject in nodes["subject"]])
    write(folder, "raw/num-node-list", [str(len(nodes))])
    write(folder, "raw/num-edge-list", [str(len(edges))])
    names = ["label idx,product category", *(f"{i},{name}" for i, name in enumerate(CLASSES))]
    write(folder, "mapping/labelidx2productcategory", names)


if __name__ == "__main__":
    main()
