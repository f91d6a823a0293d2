"""Compare ways to upsample inside networks, for the chapters of part V.

    python -m benchmarks.networks segmentation [--seeds N] [--data pets]
    python -m benchmarks.networks superresolution [--seeds N] [--data div2k]

Trains each network of the comparison with N seeds, on one core, one after the other. Every figure
of every run goes to benchmarks/networks_TASK.json, with date, command and versions. The book draws
its table from that record. With `--data`, a public dataset is downloaded first and used instead of
what the book uses; the record's name says so.
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


def segmentation(seeds, data=None):
    """Return the figures of every run, with skips and without, and the times of every round."""
    import segmentation as seg

    options = {}
    if data == "pets":
        import datasets

        folder = ROOT / "_build" / "datasets" / "pets"
        datasets.fetch_pets(folder)
        learn = datasets.pets(folder, "trainval", count=2000)
        options = {"data": (learn, datasets.pets(folder, "test", count=200)), "steps": 2000}
    samples = {"skips": {}, "no skips": {}}
    for seed in range(seeds):
        for name in seg.UPSAMPLINGS:
            for kind, runs in samples.items():
                found = seg.compare(name, seed, skips=kind == "skips", **options)
                runs.setdefault(name, []).append(found)
                print(seed, kind, name, found, flush=True)
    return {"samples": samples, "times": seg.times()}


def superresolution(seeds, data=None):
    """Return the figures of every run, the times of every round, and the bicubic quality."""
    import superresolution as sr

    test, options = None, {}
    if data == "div2k":
        import datasets

        folder = ROOT / "_build" / "datasets" / "div2k"
        datasets.fetch_div2k(folder)
        test = datasets.div2k(folder, range(881, 901))
        options = {"data": (datasets.div2k(folder, range(801, 881)), test), "steps": 2000}
    samples = {}
    for seed in range(seeds):
        for name in sr.UPSAMPLINGS:
            samples.setdefault(name, []).append(sr.compare(name, seed, **options))
            print(seed, name, samples[name][-1], flush=True)
    psnr, ssim = sr.measure(sr.enlarge, given=test).mean(axis=0).tolist()
    return {"bicubic": {"psnr": psnr, "ssim": ssim}, "samples": samples, "times": sr.times()}


TASKS = {"segmentation": segmentation, "superresolution": superresolution}
DATA = {"pets": "segmentation", "div2k": "superresolution"}
"""Public datasets, and the task each of them is for."""


def main():
    """Run one task and write its record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", choices=DATA, help="a public dataset, downloaded first")
    arguments = parser.parse_args()
    if arguments.data and DATA[arguments.data] != arguments.task:
        parser.error(f"{arguments.data} is for {DATA[arguments.data]}")
    options = {"data": arguments.data} if arguments.data else {}
    torch.set_num_threads(1)
    try:
        found = TASKS[arguments.task](arguments.seeds, **options)
    except (ConnectionError, ValueError) as error:
        if not arguments.data:
            raise
        sys.exit(str(error))
    record = {
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python -m benchmarks.networks", *sys.argv[1:]]),
        "versions": {name: version(name) for name in ("torch", "numpy", "scikit-image")},
        "seeds": arguments.seeds,
        **found,
    }
    name = "_".join(["networks", arguments.task, *options.values()])
    to = Path(__file__).with_name(f"{name}.json")
    to.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
