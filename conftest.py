"""Chapters are collected as tests; see book/_ext/coursebook/chapters.py."""

pytest_plugins = ["coursebook.chapters"]
