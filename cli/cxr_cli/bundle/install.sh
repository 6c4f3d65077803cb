#!/bin/sh
# Installs cxr-triage from this folder, without a network. sh install.sh [FOLDER]   (default: /opt/cxr-triage)
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
target=${1:-/opt/cxr-triage}
python=${PYTHON:-python3}

if command -v sha256sum >/dev/null; then
  (cd "$here" && sha256sum --check --quiet SHA256SUMS)
else
  (cd "$here" && shasum -a 256 -c SHA256SUMS >/dev/null)
fi || { echo "install.sh: the bundle is damaged or was changed; get it again" >&2; exit 1; }

"$python" -m venv "$target" || {
  echo "install.sh: $python makes no environment; on Debian: apt-get install python3-venv" >&2
  exit 1
}
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-index \
  --find-links "$here/wheels" --require-hashes --requirement "$here/requirements.txt"
# Ours once more: another one of the same version would stay.
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall \
  "$here"/wheels/cxr_triage-*.whl
"$target/bin/cxr-triage" lab slim >/dev/null ||
  echo "install.sh: installed, but larger than it need be" >&2
"$target/bin/cxr-triage" --version
echo "installed into $target; \`$target/bin/cxr-triage doctor\` says what works here"
