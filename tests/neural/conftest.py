"""Small networks are fastest on one thread, and their sums are the same on every machine."""

import torch

torch.set_num_threads(1)
