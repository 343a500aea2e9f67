#!/bin/sh
# Finds a Python that the pinned packages have files for and lets it fill .venv.
# `make setup` calls this; `make setup PYTHON=/path/to/python3` names the Python to use.
set -eu
cd "$(dirname "$0")/.."

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- python3 python3.14 python3.13 python3.12 python3.11
fi

found=""
for python in "$@"; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || version=
    case $version in
        3.11 | 3.12 | 3.13 | 3.14) exec "$python" scripts/install.py ;;
        ?*) found="$found, $python is $version" ;;
    esac
done

echo "setup: needs Python 3.11 to 3.14${found:-, but ${PYTHON:-python3} does not run}; install one or name it: make setup PYTHON=/path/to/python3" >&2
exit 1
