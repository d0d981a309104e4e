package local

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// rotationRules say how often a secret is to be rotated: every so many days or by a rate() or cron() expression.
type rotationRules struct {
	AutomaticallyAfterDays *int64 `json:",omitempty"`
	Duration               string `json:",omitempty"`
	ScheduleExpression     string `json:",omitempty"`
}

// check applies the rules of the API reference, RotationRulesType.
func (r *rotationRules) check() error {
	if r == nil {
		return nil
	}
	days, schedule := r.AutomaticallyAfterDays, r.ScheduleExpression
	switch {
	case days != nil && schedule != "":
		return fail(codeInvalidParameter, textTwoSchedules)
	case schedule != "" && !validSchedule(schedule):
		return fail(codeInvalidParameter, "ScheduleExpression must be cron(...) with six fields, or a rate of 4 hours to 999 days, "+
			"such as rate(4 hours) or rate(10 days).")
	}
	hours, err := strconv.Atoi(strings.TrimSuffix(r.Duration, "h"))
	if r.Duration != "" && (err != nil || !strings.HasSuffix(r.Duration, "h") || hours < 1 || hours > 24) {
		return fail(codeInvalidParameter, "Duration must be a number of hours from 1h to 24h.")
	}
	return nil
}

// cronForm is minutes, hours, days of the month, months, days of the week and years. It does not know how large a number may be.
// Source: user guide, "Schedule expressions".
var cronForm = regexp.MustCompile(`(?i)^[\d*,/-]+ +[\d*,/-]+ +([\d*,/?-]+|L|LW|\d+W) +` +
	`([\d*,/-]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)+ +` +
	`(\?|([\d*,/-]|SUN|MON|TUE|WED|THU|FRI|SAT)+(L|#[1-5])?|L) +[\d*,/-]+$`)

func validSchedule(text string) bool {
	if fields, ok := strings.CutPrefix(text, "cron("); ok {
		fields, closed := strings.CutSuffix(fields, ")")
		return closed && cronForm.MatchString(fields)
	}
	period := ratePeriod(text)
	return period >= 4*time.Hour && period <= 999*24*time.Hour
}

// ratePeriod reads rate(n hours) and rate(n days); it is 0 for any other text.
func ratePeriod(text string) time.Duration {
	inner, isRate := strings.CutPrefix(text, "rate(")
	inner, closed := strings.CutSuffix(inner, ")")
	number, unit, _ := strings.Cut(inner, " ")
	n, err := strconv.ParseUint(number, 10, 15)
	if !isRate || !closed || err != nil {
		return 0
	}
	switch unit {
	case "hour", "hours":
		return time.Duration(n) * time.Hour
	case "day", "days":
		return time.Duration(n) * 24 * time.Hour
	}
	return 0
}

// shown is what DescribeSecret shows: for a rate, the service adds the days that it comes to.
func (r *rotationRules) shown() *rotationRules {
	if r == nil || ratePeriod(r.ScheduleExpression) == 0 {
		return r
	}
	days := max(1, int64(ratePeriod(r.ScheduleExpression)/(24*time.Hour)))
	return &rotationRules{AutomaticallyAfterDays: &days, Duration: r.Duration, ScheduleExpression: r.ScheduleExpression}
}

// next is when the following rotation is due if the last one was at from. A schedule in days ends with the day in
// UTC, one in hours is exact. It is zero, and not shown, for cron expressions and without rules.
func (r *rotationRules) next(from time.Time) time.Time {
	if r == nil {
		return time.Time{}
	}
	period := ratePeriod(r.ScheduleExpression)
	if r.AutomaticallyAfterDays != nil {
		period = time.Duration(*r.AutomaticallyAfterDays) * 24 * time.Hour
	}
	switch {
	case period == 0:
		return time.Time{}
	case period%(24*time.Hour) != 0 || strings.Contains(r.ScheduleExpression, "hour"):
		return from.Add(period)
	}
	return day(from.Add(period)).Add(24*time.Hour - time.Second)
}
