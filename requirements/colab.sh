#!/usr/bin/env bash
# Make the environment DIR of Python 3.13 with what the package requires, in the versions of Colab's list LIST.
# Usage: colab.sh UV DIR LIST [more packages]. What can't be had is told, and the tests that need it will fail.
set -euo pipefail
uv=$1 dir=$2 list=$3
shift 3

if [ ! -f "$list" ]; then
    echo "Colab's list of packages is not at $list: tests/test_wheel.py will say where to put it." >&2
    exit 0
fi
# One that is here (pyenv hides its own from the search path), else one that uv downloads.
for python in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 3.13; do
    "$uv" venv --quiet --clear --python "$python" "$dir" 2>"$dir.log" && break
done
if [ ! -x "$dir/bin/python" ]; then
    cat "$dir.log" >&2
    echo "No Python 3.13 for the tests of the wheel. Run: $uv python install 3.13" >&2
    exit 0
fi
# torch's own libraries are Colab's affair: the list names those of two CUDA versions.
grep == "$list" | grep -v -E '^(#|nvidia-|cuda-)' > "$dir/list.txt"
"$uv" pip install --quiet --python "$dir" --constraint "$dir/list.txt" -r pyproject.toml "$@"
# IPython asks for jedi, which Colab goes without.
"$uv" pip uninstall --quiet --python "$dir" jedi
