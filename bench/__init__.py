"""The benchmarks behind `make bench`: our side and the side it is compared with, in one run, in turn."""
