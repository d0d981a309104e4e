package deploy_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// substitute stands for a parameter's value. It is a number, so that it fits
// in JSON with and without quotes.
const substitute = "1"

// secretsAreJSON finds generated secrets that are not what a rotation reads.
func secretsAreJSON(template node) (faults []string) {
	for id, r := range template.resources("AWS::SecretsManager::Secret") {
		g := r.at("Properties", "GenerateSecretString")
		var fields map[string]json.RawMessage
		text := substitution.ReplaceAllString(g.at("SecretStringTemplate").text(), substitute)
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			faults = append(faults, fmt.Sprintf("%s: SecretStringTemplate: %v", id, err))
			continue
		}
		for _, key := range []string{"engine", "host", "username"} {
			if fields[key] == nil {
				faults = append(faults, fmt.Sprintf("%s: SecretStringTemplate has no %s", id, key))
			}
		}
		if key := g.at("GenerateStringKey").text(); key != "password" || fields[key] != nil {
			faults = append(faults, fmt.Sprintf("%s: GenerateStringKey is %q", id, key))
		}
		if length := g.at("PasswordLength"); length.Node != nil && (length.number() < 20 || length.number() > 4096) {
			faults = append(faults, fmt.Sprintf("%s: PasswordLength is %s, not 20 to 4096", id, length.text()))
		}
	}
	return faults
}

// dashboardsAreJSON finds dashboards that CloudWatch refuses, or on which an
// engine is missing.
func dashboardsAreJSON(template node) (faults []string) {
	for id, r := range template.resources("AWS::CloudWatch::Dashboard") {
		body := r.at("Properties", "DashboardBody").text()
		if !json.Valid([]byte(substitution.ReplaceAllString(body, substitute))) {
			faults = append(faults, id+": DashboardBody is no JSON")
		}
		for f, r := range template.resources("AWS::Serverless::Function") {
			if name := r.at("Properties", "FunctionName").text(); !strings.Contains(body, `"`+name+`"`) {
				faults = append(faults, id+": does not show "+f)
			}
		}
	}
	return faults
}

var (
	query  = regexp.MustCompile(`SUM\((\w+)\) FROM SCHEMA\(Rotor, ([\w, ]+)\) GROUP BY ([\w, ]+)`)
	search = regexp.MustCompile(`\{Rotor,([\w,]+)\} MetricName=\\"(\w+)\\"`)
	single = regexp.MustCompile(`\["Rotor", "(\w+)"\]`)
)

// metricsExist finds alarms and graphs of metrics that no function writes:
// they never tell anything.
func metricsExist(template node) (faults []string) {
	known := slices.Concat(literals("../framework/serve/metrics.go"), literals("../framework/database/tls.go"), literals("../internal/watcher/metrics.go"))
	var names []string
	for n := range template.at("Resources").every() {
		if n.at("Namespace").text() == "Rotor" {
			names = append(names, n.at("MetricName").text())
		}
		for _, m := range slices.Concat(query.FindAllStringSubmatch(n.text(), -1), search.FindAllStringSubmatch(n.text(), -1), single.FindAllStringSubmatch(n.text(), -1)) {
			names = append(names, strings.FieldsFunc(strings.Join(m[1:], ","), func(r rune) bool { return r == ',' || r == ' ' })...)
		}
	}
	if len(names) == 0 && deploysFunctions(template) {
		faults = append(faults, "no alarm or graph of Rotor's own metrics")
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			faults = append(faults, "no function writes the metric or dimension "+name)
		}
	}
	return faults
}

// often is how EventBridge takes a schedule.
// Source: EventBridge user guide, "Rate expressions".
var often = regexp.MustCompile(`^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$`)

// eventsExist finds rules for events that Secrets Manager does not send, and for times
// that there are not.
// Source: Secrets Manager user guide, "AWS CloudTrail entries for Secrets
// Manager", rotation.
func eventsExist(template node) (faults []string) {
	names := []string{"RotationStarted", "RotationSucceeded", "RotationFailed", "RotationAbandoned"}
	for id, r := range template.resources("AWS::Events::Rule") {
		if s := r.at("Properties", "ScheduleExpression"); s.Node != nil {
			if !often.MatchString(s.text()) {
				faults = append(faults, fmt.Sprintf("%s: there is no schedule %q", id, s.text()))
			}
			continue
		}
		pattern := r.at("Properties", "EventPattern")
		if !slices.Equal(pattern.at("source").texts(), []string{"aws.secretsmanager"}) ||
			!slices.Equal(pattern.at("detail-type").texts(), []string{"AWS Service Event via CloudTrail"}) {
			faults = append(faults, id+": rotations have another source or detail-type")
		}
		for _, name := range pattern.at("detail", "eventName").texts() {
			if !slices.Contains(names, name) {
				faults = append(faults, fmt.Sprintf("%s: there is no event %q", id, name))
			}
		}
	}
	return faults
}

// literals are the strings in a Go file.
func literals(path string) (all []string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return nil // then whatever is looked for is missing
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if s, err := strconv.Unquote(l.Value); err == nil {
				all = append(all, s)
			}
		}
		return true
	})
	return all
}
