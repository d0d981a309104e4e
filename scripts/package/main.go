// Command package zips built functions: dist/<function>/bootstrap becomes
// dist/<function>.zip, whose bytes depend on the bootstrap's alone, and
// dist/SHA256SUMS lists their sums and those of their bills of materials.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"
)

func main() {
	log.SetFlags(0)
	dist := flag.String("dist", "dist", "the folder of the built functions")
	flag.Parse()
	if err := run(*dist, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(dist string, functions []string) error {
	var sums bytes.Buffer
	for _, f := range functions {
		bootstrap, err := os.ReadFile(filepath.Join(dist, f, "bootstrap"))
		if err != nil {
			return err
		}
		packed, err := pack(bootstrap)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dist, f+".zip"), packed, 0o644); err != nil {
			return err
		}
		bill, err := os.ReadFile(filepath.Join(dist, f+".cdx.json"))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s.zip\n%x  %s.cdx.json\n", sha256.Sum256(packed), f, sha256.Sum256(bill), f)
		fmt.Printf("%s.zip: %.2f MB\n", filepath.Join(dist, f), float64(len(packed))/1e6)
	}
	return os.WriteFile(filepath.Join(dist, "SHA256SUMS"), sums.Bytes(), 0o644)
}

// pack zips one executable. The time is fixed, so that two packages of the same
// bytes are the same.
func pack(bootstrap []byte) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(to, flate.BestCompression)
	})
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(0o755)
	entry, err := w.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := entry.Write(bootstrap); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
