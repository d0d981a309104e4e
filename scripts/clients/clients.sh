# shellcheck shell=bash
# Sourced with the repository's root as the working directory: puts the AWS CLI of requirements.txt, and nothing else of Python's, into
# dist/clients-venv, and that into the PATH, for the tests of local.
venv=$PWD/dist/clients-venv
wanted=$(sha256sum scripts/clients/requirements.txt)
if [ "$(cat "$venv/made-of" 2>/dev/null)" != "$wanted" ]; then
  scripts/tools.sh venv
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps -r scripts/clients/requirements.txt
  "$venv/bin/pip" check >/dev/null || { "$venv/bin/pip" check; echo "clients: requirements.txt is not for $(python3 --version)"; exit 1; }
  echo "$wanted" > "$venv/made-of"
fi
PATH=$venv/bin:$PATH
