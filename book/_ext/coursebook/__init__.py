"""The machine room of the book: Sphinx extension, chapters as tests, assets, lint, notebooks."""
