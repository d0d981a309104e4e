# shellcheck shell=bash
# Sourced by the scripts beside it, with the repository's root as the working
# directory: puts the SAM CLI, cfn-lint and moto of requirements.txt, and nothing
# else of Python's, into dist/sam-venv, and makes them quiet.

. scripts/venv.sh
venv sam

# No telemetry, nothing in the home folder, and no account: with credentials the
# SAM CLI asks AWS whose they are, and waits where there is no network.
export SAM_CLI_TELEMETRY=0 __SAM_CLI_APP_DIR=$PWD/dist/sam-home SAM_LAYER_CACHE_BASEDIR=$PWD/dist/sam-home
export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
mkdir -p "$SAM_LAYER_CACHE_BASEDIR"
