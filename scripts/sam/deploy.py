"""Expands a built template by the SAM translator, and deploys it into moto's CloudFormation, in this process.

    python scripts/sam/deploy.py .aws-sam/build/template.yaml x86_64

Prints the folder of each function's code, for the caller to look at what is in it. This is a weak check: moto takes much that
AWS refuses, and makes nothing of the types that it does not know, which are named on standard error.
"""

import ast
import io
import json
import logging
import pathlib
import sys
import warnings
import zipfile

import boto3
from moto import mock_aws
from moto.cloudformation.parsing import get_model_map
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ACCOUNT, SECRET = "123456789012", "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
STRATEGIES = ["single-user", "single-user-by-administrator", "alternating-users"]


def everything(prefix):
    """What makes all conditions of the template true, but for a topic of one's own."""
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return {
        "NamePrefix": prefix, "AlarmEmail": "alarm@example.com", "ReservedConcurrency": "5", "SecretTag": "rotated",
        "SubnetIds": ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"],
        "SecurityGroupIds": ec2.create_security_group(VpcId=vpc, GroupName=prefix, Description="functions")["GroupId"],
        "SecretArns": f"{SECRET}app/*,{SECRET}shop/*", "AdministratorSecretArns": SECRET + "admin/*",
        "KmsKeyArns": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000",
    }


def package(template, root):
    """Puts the functions' code into S3 and names it in the template, as sam deploy does first. Returns its folders."""
    folders, s3 = {}, boto3.client("s3")
    s3.create_bucket(Bucket="code")  # again and again, in this region
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            folders[name] = (root / resource["Properties"]["CodeUri"]).resolve()
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w") as out:
                out.write(folders[name] / "bootstrap", "bootstrap")
            s3.put_object(Bucket="code", Key=name, Body=archive.getvalue())
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": name}
    return folders


def deploy(stack, template, values):
    """Makes a stack. Returns the names of what was made, by logical name, and what was not made, with its type."""
    expanded = Translator({}, Parser()).translate(template, dict(values))
    for name, resource in expanded["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":  # whose architecture moto forgets
            architectures = resource["Properties"].get("Architectures")
            assert architectures in ([{"Ref": "Architecture"}], [values["Architecture"]]), f"{name} is for {architectures}"
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName=stack, TemplateBody=json.dumps(expanded), Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()])
    status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    assert status == "CREATE_COMPLETE", f"{stack}: {status}"
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    made = {r["LogicalResourceId"]: r.get("PhysicalResourceId") for r in resources if "ResourceType" in r}
    return made, {n: r["Type"] for n, r in expanded["Resources"].items() if n not in made}


def check(engine, made, strategy, administrators):
    """Checks an engine's function, permission and role, which may read the administrators' secrets only if it must."""
    client, iam, role = boto3.client("lambda"), boto3.client("iam"), made[engine + "Role"]
    function = client.get_function_configuration(FunctionName=made[engine + "Function"])
    assert function["Role"].endswith(":role/" + role), f"{engine}Function has the role {function['Role']}"
    assert function["Environment"]["Variables"]["ROTATION_STRATEGY"] == strategy, f"{engine}Function: {function['Environment']}"
    permission = client.get_policy(FunctionName=function["FunctionName"])["Policy"]
    assert '"secretsmanager.amazonaws.com"' in permission and ACCOUNT in permission, f"{engine}Permission: {permission}"
    document = iam.get_role_policy(RoleName=role, PolicyName="rotate")["PolicyDocument"]
    statements = filter(None, ast.literal_eval(document)["Statement"])  # as moto keeps what was, and what was not
    sids = {"Rotate", "Log"} | ({"ReadAdministrator"} if administrators and strategy != "single-user" else set())
    assert {s["Sid"] for s in statements} == sids, f"{engine}Role: {document}"


def watched(made):
    """Checks that the watcher is out of the VPC and without the others' settings, and that its schedule invokes it."""
    function = boto3.client("lambda").get_function_configuration(FunctionName=made["WatcherFunction"])
    assert function["Timeout"] == 300 and not function.get("VpcConfig", {}).get("SubnetIds"), f"WatcherFunction: {function}"
    assert not function.get("Environment", {}).get("Variables"), f"WatcherFunction: {function['Environment']}"
    targets = boto3.client("events").list_targets_by_rule(Rule=made["WatcherSchedule"].split("/")[-1])["Targets"]
    assert [t["Arn"] for t in targets] == [function["FunctionArn"]], f"WatcherSchedule: {targets}"


@mock_aws
def main(path, arch):
    # Every engine by every strategy, next to engines that have another, with all that there may be; then the least there may be.
    for stack in range(len(STRATEGIES) + 1):
        full = stack < len(STRATEGIES)
        template = yaml_parse(path.read_text())
        folders = package(template, path.parent)
        engines = [name.removesuffix("Function") for name in folders if name != "WatcherFunction"]
        by = {engine: STRATEGIES[(stack + i) % 3 if full else 0] for i, engine in enumerate(engines)}
        values = everything(f"all-{stack}") if full else {"Tracing": "PassThrough"}
        values |= {"Architecture": arch} | {engine + "Strategy": strategy for engine, strategy in by.items()}
        made, missing = deploy(f"stack-{stack}", template, values)
        for engine, strategy in by.items():
            check(engine, made, strategy, full)
        watched(made)
        if full:
            unknown = {t for t in missing.values() if t not in get_model_map()}
            assert set(missing.values()) == unknown, f"not made: {missing}"
        else:
            assert not {"KeyPolicy", "NetworkPolicy", "TracingPolicy", "Topic"} & set(made), made
    print("deploy.py: moto makes nothing of", ", ".join(sorted(unknown)), file=sys.stderr)
    print(*sorted(folders.values()), sep="\n")


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # moto tells of each resource what main tells of each type
    warnings.simplefilter("ignore")
    main(pathlib.Path(sys.argv[1]), sys.argv[2])
