package deploy_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/password"
)

// settings are the environment variables that framework/serve reads, without
// those of Lambda itself.
func settings() []string {
	names := map[string]bool{}
	files, _ := filepath.Glob("../framework/serve/*.go") // the pattern is valid
	for _, path := range files {
		if file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0); err == nil && !strings.HasSuffix(path, "_test.go") {
			ast.Inspect(file, func(n ast.Node) bool {
				if name := variable(n); name != "" && !strings.HasPrefix(name, "AWS_") {
					names[name] = true
				}
				return true
			})
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// variable is the name that a call reads: env.text("X", ...), os.Getenv("X").
func variable(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return ""
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	from, ok := method.X.(*ast.Ident)
	literal, is := call.Args[0].(*ast.BasicLit)
	if !ok || !is || from.Name != "env" && from.Name != "os" || method.Sel.Name == "check" {
		return ""
	}
	name, _ := strconv.Unquote(literal.Value) // a literal that compiled
	return name
}

// settingsAreRead finds environment variables that the code does not read, and
// such that it reads and the template does not set.
func settingsAreRead(template node) (faults []string) {
	common := template.at("Globals", "Function", "Environment", "Variables")
	for id, f := range template.resources("AWS::Serverless::Function") {
		if id == watcher {
			if f.at("Properties", "Environment").text() != "AWS::NoValue" {
				faults = append(faults, id+": has settings, and reads none")
			}
			continue
		}
		var set []string
		for name := range common.fields() {
			set = append(set, name)
		}
		for name := range f.at("Properties", "Environment", "Variables").fields() {
			set = append(set, name)
		}
		if slices.Sort(set); !slices.Equal(set, settings()) {
			faults = append(faults, fmt.Sprintf("%s: sets %v; framework/serve reads %v", id, set, settings()))
		}
	}
	return faults
}

// defaultsAreTheCode finds parameters that say something else than the code
// does.
func defaultsAreTheCode(template node) (faults []string) {
	if !deploysFunctions(template) {
		return nil
	}
	p := password.Default()
	defaults := map[string]string{
		"PasswordLength": "", "RequireEachIncludedType": strconv.FormatBool(p.RequireEach),
		"ExcludeCharacters": "", "CloneSuffix": "", "UsernameCharacterLimit": "",
		"TlsFallback": "none", "CloneDrift": "fail", "CloneAdopt": "", "PasswordOverlap": "auto",
	}
	for name, want := range defaults {
		if got := template.at("Parameters", name, "Default").text(); got != want {
			faults = append(faults, fmt.Sprintf("%s is %q by default; the code's default is %q", name, got, want))
		}
	}
	for _, e := range folders("../rotators") {
		for _, s := range template.at("Parameters", prefix(e)+"Strategy", "AllowedValues").texts() {
			if _, err := database.ParseStrategy(s); err != nil && s != "off" {
				faults = append(faults, fmt.Sprintf("%sStrategy: %v", prefix(e), err))
			}
		}
	}
	return faults
}

// timesFit finds time-outs that Lambda refuses, or in which a step cannot open
// its three connections and report.
func timesFit(template node) (faults []string) {
	timeout, connect := template.at("Parameters", "Timeout"), template.at("Parameters", "ConnectTimeout")
	if timeout.Node == nil {
		return nil
	}
	if timeout.at("MaxValue").number() > 900 {
		faults = append(faults, "Timeout: Lambda's limit is 900 seconds")
	}
	if 3*connect.at("Default").number()+1 > timeout.at("Default").number() {
		faults = append(faults, "Timeout: three connections take longer")
	}
	return faults
}

// levelsKeepMetrics finds log levels at which Lambda drops the lines that
// CloudWatch makes metrics of, which have none.
func levelsKeepMetrics(template node) (faults []string) {
	for _, level := range template.at("Parameters", "LogLevel", "AllowedValues").texts() {
		if !slices.Contains([]string{"TRACE", "DEBUG", "INFO"}, level) {
			faults = append(faults, "LogLevel: at "+level+" there are no metrics")
		}
	}
	return faults
}

// parametersAreGrouped finds parameters that the console would show last, in
// no order.
func parametersAreGrouped(template node) (faults []string) {
	groups := template.at("Metadata", "AWS::CloudFormation::Interface", "ParameterGroups")
	if groups.Node == nil {
		return nil
	}
	var grouped []string
	for _, g := range groups.list() {
		grouped = append(grouped, g.at("Parameters").texts()...)
	}
	for name := range template.at("Parameters").fields() {
		if !slices.Contains(grouped, name) {
			faults = append(faults, name+": in no group")
		}
	}
	return faults
}
