# shellcheck shell=bash
# Sourced with the repository's root as the working directory: puts the AWS CLI of requirements.txt into the PATH, for the tests of local.
. scripts/venv.sh
venv clients
