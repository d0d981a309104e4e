package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWhatIsGeneratedIsOfTheTableAsItIs(t *testing.T) {
	const root = "../.."
	for name, make := range files {
		want, err := make(root)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is not what the table of scripts/engines makes of it: run make generate", name)
		}
	}
}
