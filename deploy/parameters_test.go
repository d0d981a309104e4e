package deploy_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	administrator = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-*"
	key           = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	topic         = "arn:aws:sns:eu-central-1:123456789012:alarms"
)

func TestOnlyTheChosenEnginesAreDeployed(t *testing.T) {
	engines := folders("../rotators")
	for _, chosen := range engines {
		d := deploy(t, prefix(chosen)+"Strategy", "single-user")
		for _, e := range engines {
			for _, kind := range []string{"Function", "Role", "Permission", "LogGroup", "Errors", "Duration"} {
				if made := slices.Contains(d.resources(), prefix(e)+kind); made != (e == chosen) {
					t.Errorf("with %s alone, %s%s is made: %v", chosen, prefix(e), kind, made)
				}
			}
			for _, output := range []string{"FunctionArn", "Attach", "RoleName"} {
				if made := d.made(d.template.at("Outputs", prefix(e)+output)); made != (e == chosen) {
					t.Errorf("with %s alone, %s%s is put out: %v", chosen, prefix(e), output, made)
				}
			}
		}
	}
}

func TestOnlyAStrategyWithAnAdministratorReadsItsSecret(t *testing.T) {
	for _, e := range folders("../rotators") {
		for strategy, reads := range map[string]bool{"single-user": false, "single-user-by-administrator": true, "alternating-users": true} {
			d := deploy(t, prefix(e)+"Strategy", strategy, "AdministratorSecretArns", administrator)
			role := d.resolve(d.template.at("Resources", prefix(e)+"Role"))
			if strings.Contains(role.String(), "ReadAdministrator") != reads || strings.Contains(role.String(), "AdministratorSecretArns") != reads {
				t.Errorf("%s, %s: reads the administrator's secret: %v", e, strategy, !reads)
			}
		}
	}
}

func TestOnlyTheGivenSecretsMayBeRotated(t *testing.T) {
	for _, c := range []struct{ name, value, resource, tag, account string }{
		{"SecretArns", "", "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*", "AWS::NoValue", "AWS::AccountId"},
		{"SecretArns", administrator, "SecretArns", "AWS::NoValue", "AWS::AccountId"},
		{"SecretTag", "team", "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*", "SecretTag", "AWS::AccountId"},
		{"SecretsAccount", "210987654321", "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*", "AWS::NoValue", "SecretsAccount"},
	} {
		d := deploy(t, "PostgresStrategy", "single-user", c.name, c.value)
		role := d.resolve(d.template.at("Resources", "PostgresRole"))
		rotate := role.at("Properties", "Policies").list()[0].at("PolicyDocument", "Statement").list()[0]
		if got := rotate.at("Resource").String(); !strings.Contains(got, `"`+c.resource+`"`) {
			t.Errorf("%s=%s: may write %s", c.name, c.value, got)
		}
		if got := rotate.at("Condition", "StringEquals", "aws:ResourceTag/rotor").text(); got != c.tag {
			t.Errorf("%s=%s: the tag must be %s", c.name, c.value, got)
		}
		p := d.resolve(d.template.at("Resources", "PostgresPermission"))
		if got := p.at("Properties", "SourceAccount").text(); got != c.account {
			t.Errorf("%s=%s: secrets of %s may invoke it", c.name, c.value, got)
		}
	}
}

func TestPermissionsComeWithWhatNeedsThem(t *testing.T) {
	least := []string{"logs:CreateLogStream", "logs:PutLogEvents", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
		"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"}
	traced := []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
	for _, c := range []struct {
		name    string
		values  []string
		besides []string
	}{
		{"by default", nil, traced},
		{"without traces", []string{"Tracing", "PassThrough"}, nil},
		{"with a key", []string{"Tracing", "PassThrough", "KmsKeyArns", key}, []string{"kms:Decrypt", "kms:GenerateDataKey"}},
		{"in a VPC", []string{"Tracing", "PassThrough", "SubnetIds", "subnet-1", "SecurityGroupIds", "sg-1"}, []string{"ec2:AssignPrivateIpAddresses",
			"ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"}},
		{"with an administrator", []string{"Tracing", "PassThrough", "AdministratorSecretArns", administrator}, nil},
	} {
		d := deploy(t, append([]string{"PostgresStrategy", "alternating-users"}, c.values...)...)
		want := slices.Sorted(slices.Values(append(slices.Clone(least), c.besides...)))
		if got := d.actions("PostgresRole"); !slices.Equal(got, want) {
			t.Errorf("%s the role may %v, want %v", c.name, got, want)
		}
	}
}

func TestImpossibleParametersStopTheDeployment(t *testing.T) {
	on := []string{"MysqlStrategy", "single-user"}
	for _, c := range []struct {
		values []string
		says   string // "" is no refusal
	}{
		{nil, "at least one"},
		{on, ""},
		{[]string{"MysqlStrategy", "alternating-users"}, "AdministratorSecretArns"},
		{[]string{"OracleStrategy", "single-user-by-administrator"}, "AdministratorSecretArns"},
		{[]string{"MysqlStrategy", "alternating-users", "AdministratorSecretArns", administrator}, ""},
		{append(on, "SubnetIds", "subnet-1"), "SecurityGroupIds"},
		{append(on, "SecurityGroupIds", "sg-1"), "SubnetIds"},
		{append(on, "SubnetIds", "subnet-1", "SecurityGroupIds", "sg-1"), ""},
		{append(on, "AlarmEmail", "a@example.com", "AlarmTopicArn", topic), "not both"},
		{append(on, "AlarmTopicKeyArn", key), "AlarmEmail"},
		{append(on, "AlarmEmail", "a@example.com", "AlarmTopicKeyArn", key), ""},
		{append(on, "SecretsAccount", "210987654321"), "SecretArns"},
		{append(on, "SecretsAccount", "210987654321", "SecretArns", administrator), "customer key"},
		{append(on, "SecretsAccount", "210987654321", "SecretArns", administrator, "KmsKeyArns", key), ""},
	} {
		got := deploy(t, c.values...).refusal()
		if (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%v: %q, want %q", c.values, got, c.says)
		}
	}
}

func TestAlarmsGoWhereTheParametersSay(t *testing.T) {
	for _, c := range []struct{ name, value, action string }{{"AlarmEmail", "a@example.com", "Topic"}, {"AlarmTopicArn", topic, "AlarmTopicArn"}, {"AlarmEmail", "", "AWS::NoValue"}} {
		d := deploy(t, "RedshiftStrategy", "single-user", c.name, c.value)
		for id, r := range d.template.resources("AWS::CloudWatch::Alarm") {
			if got := d.resolve(r).at("Properties", "AlarmActions").texts(); d.made(r) && !slices.Equal(got, []string{c.action}) {
				t.Errorf("%s=%s: %s goes to %v", c.name, c.value, id, got)
			}
		}
		target := d.resolve(d.template.at("Resources", "RotationEvents")).at("Properties", "Targets").list()[0].at("Arn").text()
		if made := slices.Contains(d.resources(), "RotationEvents"); made != (c.value != "") || made && target != c.action {
			t.Errorf("%s=%s: events go to %s: %v", c.name, c.value, target, made)
		}
	}
}

func TestTheWatcherIsMadeUnlessItIsOff(t *testing.T) {
	network := []string{"PostgresStrategy", "single-user", "SubnetIds", "subnet-1", "SecurityGroupIds", "sg-1", "ReservedConcurrency", "5"}
	made := []string{"WatcherFunction", "WatcherSchedule", "WatcherPermission", "WatcherRole", "WatcherLogGroup", "WatcherErrors", "Stuck", "OldestRotation", "CertificateEnds"}
	on, off := deploy(t, network...), deploy(t, append(network, "Watcher", "off")...)
	for _, id := range made {
		if !slices.Contains(on.resources(), id) || slices.Contains(off.resources(), id) {
			t.Errorf("%s is made: %v, and with Watcher=off: %v", id, slices.Contains(on.resources(), id), slices.Contains(off.resources(), id))
		}
	}
	if n := len(on.resources()) - len(off.resources()); n != len(made) {
		t.Errorf("Watcher=off leaves %d resources out, of %d", n, len(made))
	}
	f := on.resolve(on.template.at("Resources", "WatcherFunction")).at("Properties")
	for _, name := range []string{"VpcConfig", "ReservedConcurrentExecutions"} {
		if got := f.at(name).text(); got != "AWS::NoValue" {
			t.Errorf("%s is %q", name, got)
		}
	}
	want := []string{"lambda:ListFunctions", "logs:CreateLogStream", "logs:GetQueryResults", "logs:PutLogEvents", "logs:StartQuery", "secretsmanager:ListSecrets"}
	if got := deploy(t, append(network, "Tracing", "PassThrough")...).actions("WatcherRole"); !slices.Equal(got, want) {
		t.Errorf("the watcher may %v, want %v", got, want)
	}
}

// What was bad is told when it is well again, and a watcher that says nothing changes no
// alarm on state.
func TestAlarmsOnStateEnd(t *testing.T) {
	d := deploy(t, "PostgresStrategy", "single-user", "AlarmTopicArn", topic)
	for id, want := range map[string]string{"Stuck": "Stuck Maximum GreaterThanThreshold 0", "OldestRotation": "OldestRotationDays Maximum GreaterThanThreshold OldestRotationDays",
		"CertificateEnds": "CertificateDays Minimum LessThanThreshold 30"} {
		p := d.resolve(d.template.at("Resources", id)).at("Properties")
		got := strings.Join([]string{p.at("MetricName").text(), p.at("Statistic").text(), p.at("ComparisonOperator").text(), p.at("Threshold").text()}, " ")
		if got != want || p.at("TreatMissingData").text() != "ignore" || p.at("Dimensions").Node != nil {
			t.Errorf("%s is of %s, want %s", id, got, want)
		}
	}
	for _, id := range []string{"Stuck", "OldestRotation", "CertificateEnds", "WatcherErrors"} {
		if got := d.resolve(d.template.at("Resources", id)).at("Properties", "OKActions").texts(); !slices.Equal(got, []string{"AlarmTopicArn"}) {
			t.Errorf("%s: its end goes to %v", id, got)
		}
	}
}

// CloudFormation checks defaults like any other value.
func TestPatternsTakeWhatTheyShould(t *testing.T) {
	template := parse(t, read(t, functionsTemplate))
	takes := func(parameter, value string) bool {
		return regexp.MustCompile(template.at("Parameters", parameter, "AllowedPattern").text()).MatchString(value)
	}
	for name, p := range template.at("Parameters").fields() {
		if !takes(name, p.at("Default").text()) {
			t.Errorf("%s refuses its default", name)
		}
		if values := p.at("AllowedValues").texts(); values != nil && !slices.Contains(values, p.at("Default").text()) {
			t.Errorf("%s has a default that it does not allow", name)
		}
		if p.at("AllowedPattern").Node != nil && p.at("ConstraintDescription").Node == nil {
			t.Errorf("%s does not say what it takes", name)
		}
		if p.at("Description").text() == "" {
			t.Errorf("%s has no description", name)
		}
	}
	for _, c := range []struct {
		parameter, good, bad string
	}{
		{"SecretArns", administrator + "," + administrator, administrator + ", " + administrator},
		{"AdministratorSecretArns", "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:x", "rds!db-1"},
		{"KmsKeyArns", key + "," + key, "arn:aws:kms:eu-central-1:123456789012:alias/mine"},
		{"AlarmTopicKeyArn", key, key + "," + key},
		{"SecretTag", "team one", "a;b"},
		{"SecretsAccount", "123456789012", "12345678901"},
		{"SubnetIds", "subnet-0a1b,subnet-2c3d", "subnet-0a1b, subnet-2c3d"},
		{"SecurityGroupIds", "sg-0a1b", "subnet-0a1b"},
		{"SecretsManagerEndpoint", "https://vpce-1.secretsmanager.eu-central-1.vpce.amazonaws.com", "http://example.com"},
		{"UsernameCharacterLimit", "16", "0"},
		{"NamePrefix", "rotor-2", "2-rotor"},
		{"AlarmEmail", "a@example.com", "a at example.com"},
		{"AlarmTopicArn", topic, "alarms"},
	} {
		if !takes(c.parameter, c.good) || takes(c.parameter, c.bad) {
			t.Errorf("%s: takes %q: %v, takes %q: %v", c.parameter, c.good, takes(c.parameter, c.good), c.bad, takes(c.parameter, c.bad))
		}
	}
}
