"""Figures of the product: `python -m benchmarks [name …]` measures, prints and keeps them."""
