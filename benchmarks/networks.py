"""Compare ways to upsample inside networks, for the chapters of part V.

    python -m benchmarks.networks segmentation [--seeds N]
    python -m benchmarks.networks superresolution [--seeds N]

Trains each network of the comparison with N seeds, on one core, one after the other. Every figure
of every run goes to benchmarks/networks_TASK.json, with date, command and versions. The book draws
its table from that record.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book"))


def segmentation(seeds):
    """Return the figures of every run, with skips and without, and the times of every round."""
    import segmentation as seg

    samples = {"skips": {}, "no skips": {}}
    for seed in range(seeds):
        for name in seg.UPSAMPLINGS:
            for kind, runs in samples.items():
                found = seg.compare(name, seed, skips=kind == "skips")
                runs.setdefault(name, []).append(found)
                print(seed, kind, name, found, flush=True)
    return {"samples": samples, "times": seg.times()}


def superresolution(seeds):
    """Return the figures of every run, the times of every round, and the bicubic quality."""
    import superresolution as sr

    samples = {}
    for seed in range(seeds):
        for name in sr.UPSAMPLINGS:
            samples.setdefault(name, []).append(sr.compare(name, seed))
            print(seed, name, samples[name][-1], flush=True)
    psnr, ssim = sr.measure(sr.enlarge).mean(axis=0).tolist()
    return {"bicubic": {"psnr": psnr, "ssim": ssim}, "samples": samples, "times": sr.times()}


TASKS = {"segmentation": segmentation, "superresolution": superresolution}


def main():
    """Run one task and write its record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record = {
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python -m benchmarks.networks", *sys.argv[1:]]),
        "versions": {name: version(name) for name in ("torch", "numpy", "scikit-image")},
        "seeds": arguments.seeds,
        **TASKS[arguments.task](arguments.seeds),
    }
    to = Path(__file__).with_name(f"networks_{arguments.task}.json")
    to.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
