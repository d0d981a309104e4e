# shellcheck shell=bash
# Sourced with the repository's root as the working directory. venv NAME puts what scripts/NAME/requirements.txt names, and nothing else
# of Python's, into dist/NAME-venv, and that into the PATH.
venv() {
  local venv=$PWD/dist/$1-venv requirements=scripts/$1/requirements.txt wanted
  wanted=$(sha256sum "$requirements")
  if [ "$(cat "$venv/made-of" 2>/dev/null)" != "$wanted" ]; then
    scripts/tools.sh venv
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$requirements"
    "$venv/bin/pip" check >/dev/null || { "$venv/bin/pip" check; echo "$requirements is not for $(python3 --version)"; exit 1; }
    echo "$wanted" > "$venv/made-of"
  fi
  PATH=$venv/bin:$PATH
}
