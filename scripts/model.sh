#!/usr/bin/env bash
# Writes local/model.json: what the service model of Secrets Manager says of the requests, without its texts. The model comes with
# botocore (Apache-2.0), from PyPI, pinned by its sum.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.43.11
sum=0108b5604df5a26918936c845e1e761866ee9ea8d1c1f9358ed3c69afdc37436
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "botocore==$version --hash=sha256:$sum" > "$work/requirements"
python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes --requirement "$work/requirements" --dest "$work"
python3 - "$work"/*.whl > "$work/model.json" <<'PYTHON'
import gzip, json, sys, zipfile

archive = zipfile.ZipFile(sys.argv[1])
model = json.loads(gzip.decompress(archive.read("botocore/data/secretsmanager/2017-10-17/service-2.json.gz")))
operations = {name: o["input"]["shape"] for name, o in sorted(model["operations"].items())}
shapes = {}


def keep(name):
    if name in shapes:
        return
    shape = model["shapes"][name]
    shapes[name] = {k: shape[k] for k in ("type", "required", "enum", "min", "max", "pattern", "sensitive") if k in shape}
    if "members" in shape:
        shapes[name]["members"] = {member: of["shape"] for member, of in shape["members"].items()}
    if "member" in shape:
        shapes[name]["member"] = shape["member"]["shape"]
    for inner in [*shapes[name].get("members", {}).values(), *filter(None, [shapes[name].get("member")])]:
        keep(inner)


for name in operations.values():
    keep(name)
lines = lambda table: ",\n".join(f"    {json.dumps(k)}: {json.dumps(table[k])}" for k in sorted(table))
print(f'{{\n  "operations": {{\n{lines(operations)}\n  }},\n  "shapes": {{\n{lines(shapes)}\n  }}\n}}')
PYTHON
mv "$work/model.json" local/model.json
echo "local/model.json: of botocore $version"
