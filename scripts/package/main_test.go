package main

import (
	"archive/zip"
	"bytes"
	"io"
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
