package install

import (
	"archive/tar"
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// checkSum compares a file with a pinned SHA-256, in hexadecimal. A file that differs is removed: it is not to be
// resumed, nor tried again.
func checkSum(path, want string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		return errors.Join(fmt.Errorf("%s has the SHA-256 %s, not the pinned %s", filepath.Base(path), got, want), os.Remove(path))
	}
	return nil
}

// unzip unpacks the files of a zip for which place gives a path below a folder; "" leaves one out. A path that leaves
// the folder is an error.
func unzip(archive, into string, place func(name string) string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("opening %s: %w", filepath.Base(archive), err)
	}
	defer r.Close()
	files := 0
	for _, f := range r.File {
		to := place(f.Name)
		if to == "" || !f.Mode().IsRegular() {
			continue
		}
		from, err := f.Open()
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", f.Name, err)
		}
		err = write(into, to, f.Mode(), from)
		from.Close()
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", f.Name, err)
		}
		files++
	}
	if files == 0 {
		return fmt.Errorf("%s has none of the files that are wanted", filepath.Base(archive))
	}
	return nil
}

// untar unpacks a tar's files, folders and symbolic links below a folder.
func untar(archive io.Reader, into string) error {
	r := tar.NewReader(archive)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the tar archive: %w", err)
		}
		switch h.Typeflag {
		case tar.TypeReg:
			err = write(into, h.Name, h.FileInfo().Mode(), r)
		case tar.TypeSymlink:
			err = link(into, h.Name, h.Linkname)
		}
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", h.Name, err)
		}
	}
}

// write makes a file below a folder, and the folders above it.
func write(into, name string, mode fs.FileMode, from io.Reader) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%q leaves its folder", name)
	}
	path := filepath.Join(into, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644|mode.Perm()&0o111)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}

// link makes a symbolic link below a folder, to somewhere below it.
func link(into, name, target string) error {
	if !filepath.IsLocal(name) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), target)) || filepath.IsAbs(target) {
		return fmt.Errorf("%q to %q leaves its folder", name, target)
	}
	path := filepath.Join(into, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Symlink(target, path)
}

// openToAll lets every user read what was unpacked, and run what can be run, whatever the umask was: whoever fetches is often
// root, and servers run as somebody else. It also turns links with an absolute path, as old packages have for their
// dynamic loader, into links within the folder.
func openToAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			return reroot(dir, path)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if entry.IsDir() || mode&0o100 != 0 || entry.Type().IsRegular() && filepath.Base(filepath.Dir(path)) == "bin" {
			mode |= 0o111
		}
		if mode == info.Mode().Perm() {
			return nil
		}
		return os.Chmod(path, mode)
	})
}

func reroot(dir, path string) error {
	target, err := os.Readlink(path)
	if err != nil || !filepath.IsAbs(target) {
		return err
	}
	inside := filepath.Join(dir, target)
	if _, err := os.Lstat(inside); err != nil {
		return nil // it leads to a file of the system's that no server needs
	}
	relative, err := filepath.Rel(filepath.Dir(path), inside)
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(path), os.Symlink(relative, path))
}

// below is a place for [unzip]: the files of some folders and names below a prefix, which is cut off.
func below(prefix string, wanted ...string) func(string) string {
	return func(name string) string {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			return ""
		}
		for _, w := range wanted {
			if rest == w || strings.HasSuffix(w, "/") && strings.HasPrefix(rest, w) {
				return rest
			}
		}
		return ""
	}
}
