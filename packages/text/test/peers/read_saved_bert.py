"""What Python's transformers makes of models that `saveBert` wrote: asked by read-saved-bert.ts, a line of JSON for a model.

usage: python read_saved_bert.py    (PyTorch 2, transformers 4)
"""

import json
import sys

import torch
import transformers
from transformers import AutoTokenizer, BertModel


def embed(folder: str, pooling: str, texts: list[str]) -> dict[str, object]:
    batch = AutoTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt")
    model, loading = BertModel.from_pretrained(
        folder, add_pooling_layer=pooling == "pooler", output_loading_info=True
    )
    model.eval()
    with torch.no_grad():
        output = model(**batch)
    if pooling == "pooler":
        pooled = output.pooler_output
    else:
        mask = batch["attention_mask"][:, :, None]
        pooled = (output.last_hidden_state * mask).sum(1) / mask.sum(1)
    return {
        "pooled": pooled.tolist(),
        "missing": [*loading["missing_keys"], *map(str, loading["mismatched_keys"])],
        "unexpected": list(loading["unexpected_keys"]),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }


for line in sys.stdin:
    print(json.dumps(embed(**json.loads(line))), flush=True)
