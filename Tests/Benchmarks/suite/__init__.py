# SPDX-License-Identifier: MIT
"""The benchmark suite: what each part measures is in experiments.py, how in rounds.py."""
