package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
)

// sections are the parts of a template in which an engine has entries of its
// own.
var sections = []string{"Parameters", "Rules", "Conditions", "Resources", "Outputs"}

// watcher is the one function that is no engine's.
const watcher = "WatcherFunction"

// folders are the engines, if root is the folder of rotators.
func folders(root string) (names []string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "internal" {
			names = append(names, e.Name())
		}
	}
	return names
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// prefix is what the logical IDs of an engine begin with.
func prefix(engine string) string { return strings.ToUpper(engine[:1]) + engine[1:] }

// deploysFunctions tells the project's template from others.
func deploysFunctions(template node) bool { return template.at("Transform").Node != nil }

// everyEngine finds engines without a function or a parameter, and functions
// without an engine.
func everyEngine(template node) (faults []string) {
	if !deploysFunctions(template) {
		return nil
	}
	engines := folders("../rotators")
	for _, e := range engines {
		f := template.at("Resources", prefix(e)+"Function")
		switch {
		case !isFile("../functions/" + e + "/main.go"):
			faults = append(faults, "no functions/"+e+"/main.go")
		case f.at("Properties", "CodeUri").text() != "dist/"+e:
			faults = append(faults, "no function with the code of dist/"+e+": run make generate")
		case f.at("Metadata", "SkipBuild").text() != "true":
			faults = append(faults, e+": sam would build it, for any architecture")
		case template.at("Parameters", prefix(e)+"Strategy").Node == nil:
			faults = append(faults, "no parameter "+prefix(e)+"Strategy")
		case f.at("Properties", "Environment", "Variables", "ROTATION_STRATEGY").text() != prefix(e)+"Strategy":
			faults = append(faults, e+": ROTATION_STRATEGY is not its parameter")
		}
	}
	for id := range template.resources("AWS::Serverless::Function") {
		if id != watcher && !slices.Contains(engines, strings.ToLower(strings.TrimSuffix(id, "Function"))) {
			faults = append(faults, id+": no such engine")
		}
	}
	f := template.at("Resources", watcher)
	if f.at("Properties", "CodeUri").text() != "dist/watcher" || f.at("Metadata", "SkipBuild").text() != "true" || !isFile("../functions/watcher/main.go") {
		faults = append(faults, watcher+": has not the code of dist/watcher as it was built")
	}
	return faults
}

// functionsAreKnown finds functions that rotor status would not take for Rotor's, of
// this version: it reads both in the description.
func functionsAreKnown(template node) (faults []string) {
	for name, r := range template.resources("AWS::Serverless::Function") {
		about := r.at("Properties", "Description").text()
		f := fleet.FunctionOf(types.FunctionConfiguration{Description: &about})
		if f.Kind != fleet.Rotor || f.Version != serve.Version {
			faults = append(faults, fmt.Sprintf("%s is described as %q", name, about))
		}
	}
	return faults
}

var label = regexp.MustCompile(`^How secrets of (.*) rotate\.`)

// block is all that a template has for one engine: keys and values with the
// engine's names replaced.
func block(template node, engine string) map[string]string {
	names := []string{prefix(engine), "@", engine, "@"}
	description := template.at("Parameters", prefix(engine)+"Strategy", "Description").text()
	if m := label.FindStringSubmatch(description); m != nil {
		names = append([]string{m[1], "@"}, names...)
	}
	neutral := strings.NewReplacer(names...)
	entries := map[string]string{}
	for _, s := range sections {
		for key, value := range template.at(s).fields() {
			if rest, ok := strings.CutPrefix(key, prefix(engine)); ok && (rest == "" || unicode.IsUpper(rune(rest[0]))) {
				entries[s+"."+rest] = neutral.Replace(value.String())
			}
		}
	}
	return entries
}

// blocksAreEqual finds engines that are treated unlike the others.
func blocksAreEqual(template node) (faults []string) {
	engines := folders("../rotators")
	if !deploysFunctions(template) {
		return nil
	}
	model := block(template, engines[0])
	for _, e := range engines[1:] {
		other := block(template, e)
		for _, key := range slices.Sorted(maps.Keys(merged(model, other))) {
			if model[key] != other[key] {
				faults = append(faults, fmt.Sprintf("%s is not the same for %s and %s", key, engines[0], e))
			}
		}
	}
	return faults
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
