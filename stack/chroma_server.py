"""What the ``chroma`` command does, without importing all of Chroma first, which takes two seconds."""

import sys

import chromadb_rust_bindings  # type: ignore[import-untyped]  # compiled, without stubs

if __name__ == "__main__":
    chromadb_rust_bindings.cli(sys.argv)
