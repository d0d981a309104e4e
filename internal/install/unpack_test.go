package install

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNothingIsUnpackedOutsideItsFolder(t *testing.T) {
	for _, h := range []tar.Header{
		{Name: "../evil", Typeflag: tar.TypeReg, Mode: 0o755},
		{Name: "/evil", Typeflag: tar.TypeReg, Mode: 0o755},
		{Name: "lib/evil", Typeflag: tar.TypeSymlink, Linkname: "../../evil"},
		{Name: "evil", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
	} {
		var archive bytes.Buffer
		w := tar.NewWriter(&archive)
		if err := errors.Join(w.WriteHeader(&h), w.Close()); err != nil {
			t.Fatal(err)
		}
		if err := untar(&archive, t.TempDir()); err == nil || !strings.Contains(err.Error(), "leaves its folder") {
			t.Errorf("%s to %q: %v", h.Name, h.Linkname, err)
		}
	}
	archive := zipped(t, map[string]string{"a/../../evil": "x"})
	if err := unzip(archive, t.TempDir(), func(name string) string { return name }); err == nil {
		t.Error("a zip left its folder")
	}
}

func zipped(t *testing.T, files map[string]string) string {
	t.Helper()
	var whole bytes.Buffer
	w := zip.NewWriter(&whole)
	for name, text := range files {
		member, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := member.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "archive.zip")
	if err := errors.Join(w.Close(), os.WriteFile(path, whole.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOnlyWhatIsWantedIsUnpacked(t *testing.T) {
	archive := zipped(t, map[string]string{"linux/bin/mysqld": "a", "linux/bin/mysqld-debug": "b", "linux/share/english/errmsg.sys": "c", "README": "d"})
	dir := t.TempDir()
	if err := unzip(archive, dir, below("linux/", "bin/mysqld", "share/")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"bin/mysqld": true, "share/english/errmsg.sys": true, "bin/mysqld-debug": false, "README": false} {
		if _, err := os.Stat(filepath.Join(dir, path)); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := unzip(archive, t.TempDir(), below("windows/", "bin/")); err == nil {
		t.Error("an archive with nothing wanted is no error")
	}
}

func TestAnAbsoluteLinkLeadsIntoItsFolder(t *testing.T) {
	dir := t.TempDir()
	loader := filepath.Join(dir, "lib64", "ld.so")
	err := errors.Join(script(filepath.Join(dir, "lib/real.so"), ""), os.Mkdir(filepath.Dir(loader), 0o700), os.Symlink("/lib/real.so", loader))
	if err := errors.Join(err, openToAll(dir)); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(loader); err != nil || target != "../lib/real.so" {
		t.Errorf("it leads to %q (%v)", target, err)
	}
	info, err := os.Stat(filepath.Join(dir, "lib"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("a folder is not open to all: %v, %v", info.Mode(), err)
	}
}
