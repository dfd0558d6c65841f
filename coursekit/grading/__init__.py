"""Exercises: built from one master each, checked in the notebook, graded in a sandbox."""
