# SPDX-License-Identifier: MIT
"""The benchmark suite: experiments.py says what each part measures, stage.py how."""
