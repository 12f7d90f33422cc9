"""The sandbox's tests share their caller, so they are a package."""
