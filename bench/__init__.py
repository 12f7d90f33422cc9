"""The benchmarks behind `make bench`: our code and what it is compared with, measured in turn in one run."""
