#!/usr/bin/env bash
# Make the environment DIR with the first Python found that is 3.11 or newer (or the one named), with uv inside.
set -euo pipefail
dir=$1
wanted=${2:+python$2}

good() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

if [ ! -x "$dir/bin/python" ]; then
    for python in ${wanted:-python3 python3.13 python3.12 python3.11}; do
        if good "$python"; then
            "$python" -m venv "$dir"
            break
        fi
    done
fi
if [ ! -x "$dir/bin/python" ]; then
    echo "No ${wanted:-Python 3.11, 3.12 or 3.13} with its venv module was found." >&2
    echo "Debian: apt install python3-venv.  macOS: brew install python@3.13.  Then run make again." >&2
    exit 1
fi
if [ ! -x "$dir/bin/uv" ]; then
    "$dir/bin/python" -m ensurepip --upgrade >/dev/null
    "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
fi
