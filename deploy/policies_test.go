package deploy_test

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// operations are the IAM actions that the templates may name, besides those
// of Secrets Manager, which the SDK knows.
// Source: AWS Service Authorization Reference, the page of each service.
var operations = map[string][]string{
	"ec2": {"AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets",
		"UnassignPrivateIpAddresses"},
	"kms":    {"Decrypt", "GenerateDataKey"},
	"lambda": {"InvokeFunction", "ListFunctions"},
	"logs":   {"CreateLogStream", "GetQueryResults", "PutLogEvents", "StartQuery"},
	"sns":    {"Publish"},
	"sts":    {"AssumeRole"},
	"xray":   {"PutTelemetryRecords", "PutTraceSegments"},
}

// boundless are the actions that change something and for which no resource
// can be named, with the reason.
var boundless = map[string]string{
	"ec2:CreateNetworkInterface":     "Lambda makes the interface, and cannot say beforehand which",
	"ec2:DeleteNetworkInterface":     "Lambda made the interface; the template does not know it",
	"ec2:AssignPrivateIpAddresses":   "as for DeleteNetworkInterface",
	"ec2:UnassignPrivateIpAddresses": "as for DeleteNetworkInterface",
	"xray:PutTraceSegments":          "X-Ray has no resource for it",
	"xray:PutTelemetryRecords":       "X-Ray has no resource for it",
}

// principals are the services that the templates may trust.
var principals = []string{"cloudwatch.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com", "secretsmanager.amazonaws.com"}

const boundToFunction = "secretsmanager:resource/AllowRotationLambdaArn"

// statements yields every statement of every policy, with the logical ID of
// the resource that it belongs to.
func statements(template node) iter.Seq2[string, node] {
	return func(yield func(string, node) bool) {
		for id, r := range template.at("Resources").fields() {
			for n := range r.every() {
				if n.at("Effect").Node != nil && !yield(id, n) {
					return
				}
			}
		}
	}
}

// actionsExist finds actions that IAM does not know, which it takes without a
// word.
func actionsExist(template node) (faults []string) {
	for id, s := range statements(template) {
		for _, action := range s.at("Action").texts() {
			if service, name, _ := strings.Cut(action, ":"); !isOperation(service, name) {
				faults = append(faults, fmt.Sprintf("%s: there is no action %q", id, action))
			}
		}
	}
	return faults
}

func isOperation(service, name string) bool {
	if service == "secretsmanager" {
		_, ok := reflect.TypeFor[*secretsmanager.Client]().MethodByName(name)
		return ok && name != "Options"
	}
	return slices.Contains(operations[service], name)
}

func isRead(action string) bool {
	_, name, _ := strings.Cut(action, ":")
	return strings.HasPrefix(name, "Describe") || strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List")
}

// writesAreBounded finds what may be changed, or read of secrets, without
// saying of which resource.
func writesAreBounded(template node) (faults []string) {
	for id, s := range statements(template) {
		if s.at("Effect").text() != "Allow" || !slices.ContainsFunc(s.at("Resource").texts(), isEverything) {
			continue
		}
		for _, action := range s.at("Action").texts() {
			switch {
			case s.at("Condition", "StringEquals", boundToFunction).Node != nil:
			case isRead(action) && !strings.HasPrefix(action, "secretsmanager:"), action == "secretsmanager:ListSecrets":
			case boundless[action] == "":
				faults = append(faults, fmt.Sprintf("%s: %s on everything", id, action))
			case template.at("Resources", id, "Condition").Node == nil:
				faults = append(faults, fmt.Sprintf("%s: %s on everything, also where it is not needed", id, action))
			}
		}
	}
	return faults
}

func isEverything(resource string) bool { return resource == "*" || strings.HasSuffix(resource, ":*") }

// rotatesItsOwn finds functions that may write secrets which do not name them
// as their rotation function.
func rotatesItsOwn(template node) (faults []string) {
	for id, s := range statements(template) {
		if !slices.Contains(s.at("Action").texts(), "secretsmanager:PutSecretValue") {
			continue
		}
		own := s.at("Condition", "StringEquals", boundToFunction).text()
		if name := nameOfFunction(template, id); name == "" || !strings.HasSuffix(own, ":function:"+name) {
			faults = append(faults, fmt.Sprintf("%s: writes secrets of %q, and its function is %q", id, own, name))
		}
	}
	return faults
}

// nameOfFunction is the name of the function that has the role.
func nameOfFunction(template node, role string) string {
	for _, f := range template.resources("AWS::Serverless::Function") {
		if f.at("Properties", "Role").text() == role+".Arn" {
			return f.at("Properties", "FunctionName").text()
		}
	}
	return ""
}

// principalsExist finds services that AWS does not have: a trust in them is
// taken without a word, and never used.
func principalsExist(template node) (faults []string) {
	for id, r := range template.at("Resources").fields() {
		for n := range r.every() {
			for _, p := range append(n.at("Principal", "Service").texts(), n.at("Principal").texts()...) {
				if p != "" && !slices.Contains(principals, p) {
					faults = append(faults, fmt.Sprintf("%s: there is no principal %q", id, p))
				}
			}
		}
	}
	return faults
}

// mayBeInvoked finds functions that Secrets Manager may not invoke, or may
// for anybody, and a watcher that its schedule alone may not.
func mayBeInvoked(template node) (faults []string) {
	for id, f := range template.resources("AWS::Serverless::Function") {
		p := permission(template, id, "secretsmanager.amazonaws.com")
		if id == watcher {
			p = permission(template, id, "events.amazonaws.com")
			rule := strings.TrimSuffix(p.at("Properties", "SourceArn").text(), ".Arn")
			targets := template.at("Resources", rule, "Properties", "Targets").list()
			if len(targets) != 1 || targets[0].at("Arn").text() != id+".Arn" || p.at("Condition").text() != f.at("Condition").text() {
				faults = append(faults, id+": its schedule may not invoke it, or others may")
			}
			continue
		}
		switch {
		case p.Node == nil:
			faults = append(faults, id+": Secrets Manager may not invoke it")
		case p.at("Properties", "SourceAccount").Node == nil:
			faults = append(faults, id+": anybody's secret may invoke it")
		case p.at("Condition").text() != f.at("Condition").text():
			faults = append(faults, id+": the permission has another condition")
		}
	}
	return faults
}

// permission is a service's to invoke what !Ref to names.
func permission(template node, to, service string) node {
	for _, p := range template.resources("AWS::Lambda::Permission") {
		q := p.at("Properties")
		if q.at("FunctionName").text() == to && q.at("Action").text() == "lambda:InvokeFunction" && q.at("Principal").text() == service {
			return p
		}
	}
	return node{}
}
