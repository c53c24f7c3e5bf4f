"""The rows of benchmarks/speed.py, one module a group."""
