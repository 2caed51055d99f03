"""A training script as somebody has it: logistic regression on iris, with a checkpoint after every epoch."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
parser.add_argument("--loss", choices=["plain", "smoothed"])
parser.add_argument("--lr", type=float)
parser.add_argument("--folder", type=Path)
parser.add_argument("--log")
args = parser.parse_args()

x, y = load_iris(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split((x - x.mean(0)) / x.std(0), y, random_state=args.seed)
smooth = 0.2 if args.loss == "smoothed" else 0.0
goal = (1 - smooth) * np.eye(3)[y_train] + smooth / 3

weights, start, kept = np.random.default_rng(args.seed).normal(size=(4, 3)), 0, args.folder / "checkpoint.npz"
if kept.exists():
    state = np.load(kept)
    weights, start = state["weights"], int(state["epoch"])
for epoch in range(start, 40):
    p = np.exp(x_train @ weights)
    p /= p.sum(1, keepdims=True)
    weights -= args.lr * x_train.T @ (p - goal) / len(goal)
    with kept.with_suffix(".part").open("wb") as stream:
        np.savez(stream, weights=weights, epoch=epoch + 1)
    kept.with_suffix(".part").replace(kept)
    time.sleep(0.3 if Path("slow").exists() and args.seed == 2 else 0)

if args.log:
    Path(args.log).open("a").write(f"{args.loss} {args.seed} {start}\n")
print(json.dumps({"val_acc": np.mean((x_test @ weights).argmax(1) == y_test), "norm": np.linalg.norm(weights)}))
