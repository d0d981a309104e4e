package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackagesAreReproducibleAndExecutable(t *testing.T) {
	bootstrap := bytes.Repeat([]byte("machine code "), 1000)
	first, err := pack(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	second, err := pack(bootstrap)
	if err != nil || !bytes.Equal(first, second) {
		t.Fatal("two packages of the same bytes differ", err)
	}
	r, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil || len(r.File) != 1 || r.File[0].Name != "bootstrap" || r.File[0].Mode().Perm() != 0o755 {
		t.Fatal("not one executable bootstrap", err)
	}
	f, err := r.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, bootstrap) {
		t.Error("the bytes changed", err)
	}
}

func TestSumsCoverZipsAndBills(t *testing.T) {
	dist := t.TempDir()
	write := func(name string) {
		path := filepath.Join(dist, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("postgres/bootstrap")
	if err := run(dist, []string{"postgres"}); err == nil {
		t.Error("a function without a bill was packed")
	}
	write("postgres.cdx.json")
	if err := run(dist, []string{"postgres"}); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres.zip", "postgres.cdx.json"} {
		content, err := os.ReadFile(filepath.Join(dist, name))
		if line := fmt.Sprintf("%x  %s\n", sha256.Sum256(content), name); err != nil || !strings.Contains(string(sums), line) {
			t.Errorf("the sums lack %q: %v", line, err)
		}
	}
}
