// Package deploy_test checks the templates that deploy the functions for
// what linters do not see: what AWS takes, or SAM does, without a word.
package deploy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/serve"
)

const (
	functionsTemplate = "../template.yaml"
	exampleTemplate   = "../examples/stack/template.yaml"
)

// rules are what the templates keep. Each returns what is wrong.
var rules = map[string]func(template node) []string{
	"actionsExist":         actionsExist,
	"blocksAreEqual":       blocksAreEqual,
	"comesAfterPermission": comesAfterPermission,
	"dashboardsAreJSON":    dashboardsAreJSON,
	"defaultsAreTheCode":   defaultsAreTheCode,
	"eventsExist":          eventsExist,
	"everyEngine":          everyEngine,
	"functionsAreKnown":    functionsAreKnown,
	"levelsKeepMetrics":    levelsKeepMetrics,
	"mayBeInvoked":         mayBeInvoked,
	"metricsExist":         metricsExist,
	"parametersAreGrouped": parametersAreGrouped,
	"principalsExist":      principalsExist,
	"rotatesItsOwn":        rotatesItsOwn,
	"schedulesAreValid":    schedulesAreValid,
	"secretsAreJSON":       secretsAreJSON,
	"settingsAreRead":      settingsAreRead,
	"timesFit":             timesFit,
	"writesAreBounded":     writesAreBounded,
}

func TestTheTemplatesKeepEveryRule(t *testing.T) {
	for _, path := range []string{functionsTemplate, exampleTemplate} {
		template := parse(t, read(t, path))
		for name, check := range rules {
			for _, fault := range check(template) {
				t.Errorf("%s: %s: %s", path, name, fault)
			}
		}
	}
}

// A fault is one change of a template that a rule must see.
type fault struct {
	rule, path string
	old, new   string // old is there; its first place is changed
	says       string
}

var faults = []fault{
	{"actionsExist", functionsTemplate, "secretsmanager:PutSecretValue", "secretsmanager:PutSecretValues", "PutSecretValues"},
	{"actionsExist", functionsTemplate, "- secretsmanager:DescribeSecret", `- "secretsmanager:*"`, "secretsmanager:*"},
	{"actionsExist", functionsTemplate, "kms:Decrypt,", "kms:Decipher,", "kms:Decipher"},
	{"actionsExist", functionsTemplate, "Action: sns:Publish", "Action: sns:publishMessage", "sns:publishMessage"},
	{"blocksAreEqual", functionsTemplate, "RetentionInDays: !Ref LogRetention", "RetentionInDays: 7", "Resources.LogGroup"},
	{"blocksAreEqual", functionsTemplate, "  MysqlErrors:", "  MysqlErrorsOld:", "Resources.Errors"},
	{"comesAfterPermission", exampleTemplate, "    DependsOn: Permission\n", "", "Rotation"},
	{"comesAfterPermission", exampleTemplate, "DependsOn: Permission", "DependsOn: Secret", "Rotation"},
	{"comesAfterPermission", exampleTemplate, "FunctionName: !Ref FunctionArn", "FunctionName: other", "Rotation"},
	{"dashboardsAreJSON", functionsTemplate, `"period": 3600, "stacked": true,`, `"period": 3600, "stacked": true`, "no JSON"},
	{"dashboardsAreJSON", functionsTemplate, `"${NamePrefix}-oracle"]`, `"${NamePrefix}-mysql"]`, "OracleFunction"},
	{"defaultsAreTheCode", functionsTemplate, "    Default: fail", "    Default: grant", "CloneDrift"},
	{"defaultsAreTheCode", functionsTemplate, "single-user-by-administrator, alternating-users]\n    Description", "alternating]\n    Description", "alternating"},
	{"eventsExist", functionsTemplate, "RotationFailed,", "RotationFailure,", "RotationFailure"},
	{"eventsExist", functionsTemplate, "[AWS Service Event via CloudTrail]", "[AWS API Call via CloudTrail]", "detail-type"},
	{"eventsExist", functionsTemplate, "rate(1 hour)", "rate(1 hours)", "rate(1 hours)"},
	{"everyEngine", functionsTemplate, "CodeUri: dist/watcher", "CodeUri: dist/mysql", "WatcherFunction"},
	{"everyEngine", functionsTemplate, "CodeUri: dist/redshift", "CodeUri: dist/mysql", "dist/redshift"},
	{"everyEngine", functionsTemplate, "  MysqlFunction:", "  MysqlsFunction:", "dist/mysql"},
	{"everyEngine", functionsTemplate, "SkipBuild: true", "SkipBuild: false", "any architecture"},
	{"everyEngine", functionsTemplate, "ROTATION_STRATEGY: !Ref PostgresStrategy", "ROTATION_STRATEGY: !Ref MysqlStrategy", "postgres"},
	{"functionsAreKnown", functionsTemplate, "\"Rotor " + serve.Version + ": rotates secrets of Oracle.\"", "Rotates secrets of Oracle.", "OracleFunction"},
	{"functionsAreKnown", functionsTemplate, "\"Rotor " + serve.Version + ": rotates secrets of Oracle.\"", "\"Rotor 9.9.9: rotates secrets of Oracle.\"", "OracleFunction"},
	{"levelsKeepMetrics", functionsTemplate, "[DEBUG, INFO]", "[DEBUG, INFO, ERROR]", "ERROR"},
	{"mayBeInvoked", functionsTemplate, "Principal: secretsmanager.amazonaws.com", "Principal: secretmanager.amazonaws.com", "PostgresFunction"},
	{"mayBeInvoked", functionsTemplate, "lambda:InvokeFunction", "lambda:GetFunction", "PostgresFunction"},
	{"mayBeInvoked", functionsTemplate, "      SourceAccount: !If [OtherAccount, !Ref SecretsAccount, !Ref AWS::AccountId]\n", "", "anybody"},
	{"mayBeInvoked", functionsTemplate, "      SourceArn: !GetAtt WatcherSchedule.Arn\n", "", "WatcherFunction"},
	{"mayBeInvoked", functionsTemplate, "Arn: !GetAtt WatcherFunction.Arn", "Arn: !GetAtt MysqlFunction.Arn", "WatcherFunction"},
	{"metricsExist", functionsTemplate, "MetricName: Stuck", "MetricName: Stucks", "Stucks"},
	{"metricsExist", functionsTemplate, `["Rotor", "FunctionGone"]`, `["Rotor", "Gone"]`, "Gone"},
	{"metricsExist", functionsTemplate, "SUM(Failures)", "SUM(Failed)", "Failed"},
	{"metricsExist", functionsTemplate, "GROUP BY Engine, Class", "GROUP BY Engine, Kind", "Kind"},
	{"metricsExist", functionsTemplate, `MetricName=\"CertificateDaysToExpiry\"`, `MetricName=\"CertificateDaysLeft\"`, "CertificateDaysLeft"},
	{"parametersAreGrouped", functionsTemplate, "[UsernameCharacterLimit, CloneSuffix,", "[UsernameCharacterLimit,", "CloneSuffix"},
	{"principalsExist", functionsTemplate, "Service: lambda.amazonaws.com", "Service: lambda.amazon.com", "lambda.amazon.com"},
	{"principalsExist", exampleTemplate, "Principal: secretsmanager.amazonaws.com", "Principal: secretsmanager.aws.com", "secretsmanager.aws.com"},
	{"rotatesItsOwn", functionsTemplate, "function:${NamePrefix}-mysql", "function:${NamePrefix}-*", "MysqlRole"},
	{"rotatesItsOwn", functionsTemplate, boundToFunction, "secretsmanager:resource/AllowRotationLambdaArns", "PostgresRole"},
	{"schedulesAreValid", exampleTemplate, "cron(0 3 1 * ? *)", "cron(0 3 1 * *)", "fields"},
	{"schedulesAreValid", exampleTemplate, "cron(0 3 1 * ? *)", "rate(1 days)", "rate(1 days)"},
	{"schedulesAreValid", exampleTemplate, "Duration: 3h", "Duration: 3 hours", "3 hours"},
	{"schedulesAreValid", exampleTemplate, "ScheduleExpression: !Ref Schedule", "AutomaticallyAfterDays: 1001", "1001"},
	{"secretsAreJSON", exampleTemplate, `"rotor_administrator"}`, `"rotor_administrator"`, "Administrator"},
	{"secretsAreJSON", exampleTemplate, `"username": "app"`, `"user": "app"`, "no username"},
	{"secretsAreJSON", exampleTemplate, "GenerateStringKey: password", "GenerateStringKey: host", "GenerateStringKey"},
	{"secretsAreJSON", exampleTemplate, "PasswordLength: 32", "PasswordLength: 5000", "5000"},
	{"settingsAreRead", functionsTemplate, "        CLONE_DRIFT: ", "        CLONE_DRIVE: ", "CLONE_DRIVE"},
	{"settingsAreRead", functionsTemplate, "        CA_BUNDLE: !Ref CaBundle\n", "", "CA_BUNDLE"},
	{"settingsAreRead", functionsTemplate, "      Environment: !Ref AWS::NoValue\n", "", "WatcherFunction"},
	{"timesFit", functionsTemplate, "MaxValue: 900", "MaxValue: 901", "900"},
	{"timesFit", functionsTemplate, "    Default: 10", "    Default: 20", "three connections"},
	{"writesAreBounded", functionsTemplate, "Resource: !GetAtt PostgresLogGroup.Arn", `Resource: "*"`, "logs:PutLogEvents"},
	{"writesAreBounded", functionsTemplate, "secretsmanager:ListSecrets, ", "secretsmanager:GetSecretValue, ", "secretsmanager:GetSecretValue"},
	{"writesAreBounded", functionsTemplate, "log-group:/aws/lambda/${NamePrefix}-*", "log-group:*", "logs:StartQuery"},
	{"writesAreBounded", functionsTemplate, "Resource: !Split [\",\", !Ref AdministratorSecretArns]", `Resource: "*"`, "secretsmanager:GetSecretValue"},
	{"writesAreBounded", functionsTemplate, "Resource: !Split [\",\", !Ref KmsKeyArns]", `Resource: "*"`, "kms:GenerateDataKey"},
	{"writesAreBounded", functionsTemplate, "    Condition: InVpc\n", "", "not needed"},
}

func TestEveryRuleSeesItsFault(t *testing.T) {
	tried := map[string]bool{}
	for _, f := range faults {
		whole := read(t, f.path)
		if !strings.Contains(whole, f.old) {
			t.Errorf("%s: %q is not in %s", f.rule, f.old, f.path)
			continue
		}
		broken := parse(t, strings.Replace(whole, f.old, f.new, 1))
		if found := rules[f.rule](broken); !strings.Contains(strings.Join(found, "\n"), f.says) {
			t.Errorf("%s does not see %q in place of %q: %q", f.rule, f.new, f.old, found)
		}
		tried[f.rule] = true
	}
	if got, want := slices.Sorted(maps.Keys(tried)), slices.Sorted(maps.Keys(rules)); !slices.Equal(got, want) {
		t.Errorf("tried %v of %v", got, want)
	}
}
