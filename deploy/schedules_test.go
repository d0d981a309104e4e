package deploy_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// schedulesAreValid finds rotation schedules that Secrets Manager refuses.
func schedulesAreValid(template node) (faults []string) {
	for id, r := range template.resources("AWS::SecretsManager::RotationSchedule") {
		rules := r.at("Properties", "RotationRules")
		days, expression := rules.at("AutomaticallyAfterDays").parameter(template), rules.at("ScheduleExpression").parameter(template)
		switch {
		case (days.Node == nil) == (expression.Node == nil):
			faults = append(faults, id+": needs either ScheduleExpression or AutomaticallyAfterDays")
		case days.Node != nil && (days.number() < 1 || days.number() > 1000):
			faults = append(faults, fmt.Sprintf("%s: AutomaticallyAfterDays is %s, not 1 to 1000", id, days.text()))
		case days.Node == nil:
			if err := checkSchedule(expression.text(), rules.at("Duration").parameter(template).text()); err != nil {
				faults = append(faults, fmt.Sprintf("%s: %v", id, err))
			}
		}
	}
	return faults
}

// comesAfterPermission finds schedules that may be made before Secrets Manager
// may invoke their function, which then are refused.
func comesAfterPermission(template node) (faults []string) {
	for id, r := range template.resources("AWS::SecretsManager::RotationSchedule") {
		function := r.at("Properties", "RotationLambdaARN").text()
		p := permission(template, strings.TrimSuffix(function, ".Arn"), "secretsmanager.amazonaws.com")
		first := slices.ContainsFunc(r.at("DependsOn").texts(), func(name string) bool {
			return p.Node != nil && template.at("Resources", name).Node == p.Node
		})
		if !first {
			faults = append(faults, id+": does not depend on a permission of "+function)
		}
	}
	return faults
}

// checkSchedule applies Secrets Manager's rules for schedules: rotation at
// most every four hours, windows that begin on the hour and end with the UTC
// day or before the next one begins. An empty duration is the service's own.
// Source: Secrets Manager user guide, "Schedule expressions in Secrets Manager
// rotation".
func checkSchedule(expression, duration string) error {
	kind, rest, _ := strings.Cut(expression, "(")
	fields, ok := strings.CutSuffix(rest, ")")
	if !ok {
		return fmt.Errorf("%q is neither rate(...) nor cron(...)", expression)
	}
	hours, err := 0, errors.New("it begins with neither rate nor cron")
	switch kind {
	case "rate":
		hours, err = rate(fields)
	case "cron":
		hours, err = cron(strings.Fields(fields))
	}
	if err == nil {
		err = checkWindow(duration, hours)
	}
	if err != nil {
		return fmt.Errorf("%q, duration %q: %w", expression, duration, err)
	}
	return nil
}

// rate returns the hours between two windows.
func rate(text string) (int, error) {
	number, unit, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 999 {
		return 0, fmt.Errorf("%q is not 1 to 999", number)
	}
	hours := n
	if strings.HasPrefix(unit, "day") {
		hours = 24 * n
	}
	switch {
	case unit != "hour" && unit != "hours" && unit != "day" && unit != "days":
		return 0, fmt.Errorf("%q is neither hours nor days", unit)
	case (n == 1) == strings.HasSuffix(unit, "s"):
		return 0, fmt.Errorf("%d and %q do not agree in number", n, unit)
	case hours < 4:
		return 0, errors.New("four hours are the least")
	}
	return hours, nil
}

const (
	month   = `(?:[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)`
	weekday = `(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)`
	day     = `(?:[1-9]|[12][0-9]|3[01])`
	hour    = `(?:[0-9]|1[0-9]|2[0-3])`
)

// cronFields are minute, hour, day of month, month, day of week, year.
var cronFields = []*regexp.Regexp{
	regexp.MustCompile(`^0$`),
	regexp.MustCompile(`^(?:` + hour + `(?:-` + hour + `)?(?:,` + hour + `)*|(?:\*|` + hour + `)/` + hour + `)$`),
	regexp.MustCompile(`^(?:\*|\?|L|` + day + `(?:-` + day + `)?(?:,` + day + `)*|` + day + `/` + day + `)$`),
	regexp.MustCompile(`^(?:\*|` + month + `(?:-` + month + `)?(?:,` + month + `)*|(?:\*|` + month + `)/` + month + `)$`),
	regexp.MustCompile(`^(?:\*|\?|` + weekday + `(?:-` + weekday + `)?(?:,` + weekday + `)*|` + weekday + `(?:L|#[1-5]))$`),
	regexp.MustCompile(`^\*$`),
}

// cron returns the hours between two windows, as far as the field of hours
// says: 24 if it names a single one.
func cron(fields []string) (int, error) {
	if len(fields) != len(cronFields) {
		return 0, fmt.Errorf("%d fields; there are six: minute, hour, day of month, month, day of week, year", len(fields))
	}
	for i, field := range fields {
		if !cronFields[i].MatchString(field) {
			return 0, fmt.Errorf("field %d is %q", i+1, field)
		}
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return 0, errors.New("exactly one of day of month and day of week is ?")
	}
	hours := between(fields[1])
	if hours < 4 {
		return 0, errors.New("four hours are the least")
	}
	return hours, nil
}

// between returns the fewest hours between two windows of a day, for a field
// of hours that is valid.
func between(field string) int {
	if _, step, ok := strings.Cut(field, "/"); ok {
		n, _ := strconv.Atoi(step) // the pattern has seen to it
		return n
	}
	if strings.Contains(field, "-") {
		return 1
	}
	least, last := 24, -24
	for one := range strings.SplitSeq(field, ",") {
		n, _ := strconv.Atoi(one)
		least, last = min(least, n-last), n
	}
	return least
}

var window = regexp.MustCompile(`^([1-9]|1[0-9]|2[0-4])h$`)

func checkWindow(duration string, hours int) error {
	if duration == "" {
		return nil
	}
	m := window.FindStringSubmatch(duration)
	if m == nil {
		return errors.New("a duration is 1h to 24h")
	}
	if n, _ := strconv.Atoi(m[1]); n > hours {
		return errors.New("the window is longer than the time to the next one")
	}
	return nil
}

func TestSchedulesAreThoseOfSecretsManager(t *testing.T) {
	for _, c := range []struct {
		expression, duration string
		ok                   bool
	}{
		{"rate(10 days)", "", true}, {"rate(1 day)", "3h", true}, {"rate(4 hours)", "4h", true}, {"rate(999 days)", "24h", true},
		{"cron(0 3 1 * ? *)", "3h", true}, {"cron(0 8 * * ? *)", "", true}, {"cron(0 /4 * * ? *)", "", false}, {"cron(0 */4 * * ? *)", "2h", true},
		{"cron(0 16 ? * SUN *)", "", true}, {"cron(0 1 ? * MON#1 *)", "", true}, {"cron(0 1 L * ? *)", "", true}, {"cron(0 2,14 * * ? *)", "12h", true},
		{"cron(0 1 1 */2 ? *)", "", true}, {"cron(0 1 1 1,4,7,10 ? *)", "", true},
		{"rate(10 day)", "", false}, {"rate(1 days)", "", false}, {"rate(30 minutes)", "", false}, {"rate(3 hours)", "", false}, {"rate(1 hour)", "", false},
		{"rate(0 days)", "", false}, {"rate(1000 days)", "", false}, {"rate(ten days)", "", false}, {"rate(10 days", "", false}, {"rate 10 days", "", false}, {"", "", false},
		{"every(10 days)", "", false}, {"cron(0 3 1 * *)", "", false}, {"cron(0 3 1 * * *)", "", false}, {"cron(0 3 ? * ? *)", "", false},
		{"cron(30 3 1 * ? *)", "", false}, {"cron(0 24 1 * ? *)", "", false}, {"cron(0 3 32 * ? *)", "", false}, {"cron(0 3 1 13 ? *)", "", false},
		{"cron(0 3 ? * 8 *)", "", false}, {"cron(0 3 1 * ? 2027)", "", false}, {"cron(0 */2 * * ? *)", "", false}, {"cron(0 2,4 * * ? *)", "", false},
		{"cron(0 3 1 * ? *)", "3", false}, {"cron(0 3 1 * ? *)", "0h", false}, {"cron(0 3 1 * ? *)", "25h", false}, {"cron(0 3 1 * ? *)", "3 h", false},
		{"cron(0 */4 * * ? *)", "5h", false}, {"rate(4 hours)", "5h", false},
	} {
		if err := checkSchedule(c.expression, c.duration); (err == nil) != c.ok {
			t.Errorf("%q, %q: %v", c.expression, c.duration, err)
		}
	}
}
