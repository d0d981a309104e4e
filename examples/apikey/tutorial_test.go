package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const tutorial = "../../docs/write-a-rotator.md"

// block is a block of code in Markdown, with its language.
var block = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

func TestTheTutorialsCodeIsThisCode(t *testing.T) {
	counts := map[string]int{}
	for _, b := range block.FindAllStringSubmatch(string(must(os.ReadFile(tutorial))(t)), -1) {
		language, code := b[1], b[2]
		files := map[string]string{"go": "*.go", "yaml": "*.yaml"}[language]
		if files == "" {
			continue
		}
		counts[language]++
		if !occurs(t, files, code) {
			t.Errorf("no file %s has\n%s", files, code)
		}
	}
	if counts["go"] < 8 || counts["yaml"] != 1 {
		t.Errorf("the tutorial has %v blocks", counts)
	}
}

// occurs reports whether code is in one of the files, in whole lines.
func occurs(t *testing.T, files, code string) bool {
	for _, file := range must(filepath.Glob(files))(t) {
		if strings.Contains("\n"+string(must(os.ReadFile(file))(t)), "\n"+code) {
			return true
		}
	}
	return false
}

func TestTheTutorialNamesFilesThatExist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, l := range link.FindAllStringSubmatch(string(must(os.ReadFile(tutorial))(t)), -1) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(tutorial), l[1])); err != nil {
			t.Error(err)
		}
	}
}
