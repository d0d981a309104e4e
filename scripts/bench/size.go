package main

import (
	"archive/zip"
	"compress/flate"
	"io"
	"os"
)

// zippedSize is the size of a deployment package: the bootstrap alone, deflated as well as can be.
func zippedSize(bootstrap string) (int64, error) {
	source, err := os.Open(bootstrap)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	var size counter
	archive := zip.NewWriter(&size)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	entry, err := archive.Create("bootstrap")
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(entry, source); err != nil {
		return 0, err
	}
	err = archive.Close()
	return int64(size), err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
