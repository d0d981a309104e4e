package servertest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A seed keeps the data that a server's preparation makes, so that the next
// server starts from a copy: MySQL's takes seconds of a processor to make.
type seed struct {
	path    string // of the folder; it is there, whole, or not at all
	growing string // while this server makes the data: where its copy goes; empty if it is not kept
}

// plant readies a program whose data has a seed: it copies the seed, or has the
// preparation leave a copy behind. Where that cannot be kept, nothing changes.
func (p *Program) plant() (s seed) {
	if p.Seed == "" {
		return seed{}
	}
	s.path = p.Seed
	if _, err := os.Stat(s.path); err == nil {
		fill := p.Fill
		p.Prepare, p.Fill = "", func(folder string) error {
			if fill != nil {
				if err := fill(folder); err != nil {
					return err
				}
			}
			return CopyTree(s.path, filepath.Join(folder, "data"), func(string) bool { return true })
		}
		return s
	}
	growing, err := os.MkdirTemp(filepath.Dir(s.path), ".seed-")
	if err != nil {
		return seed{} // somebody else's folder
	}
	if err := errors.Join(os.Chmod(growing, 0o755), giveAway(growing)); err != nil {
		_ = os.RemoveAll(growing)
		return seed{}
	}
	s.growing = growing
	p.Prepare = fmt.Sprintf("{ %s; } && cp -r data '%[2]s/data' && chmod -R a+rX '%[2]s/data'", p.Prepare, growing)
	return s
}

// harvest keeps the copy that a preparation left behind, once its server runs. If
// another one was quicker, that one's stays.
func (s seed) harvest(ready bool) {
	if s.growing == "" {
		return
	}
	if ready {
		_ = os.Rename(filepath.Join(s.growing, "data"), s.path) // it exists, or the next server makes it again
	}
	_ = os.RemoveAll(s.growing)
}

// CopyTree copies the files of a folder whose relative paths the filter takes.
// The copies belong to the user that servers run as. What vanishes meanwhile was
// temporary.
func CopyTree(source, target string, take func(relative string) bool) error {
	return filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		if relative != "." && !take(relative) {
			return nil
		}
		to := filepath.Join(target, relative)
		if entry.IsDir() {
			return errors.Join(os.MkdirAll(to, 0o700), giveAway(to))
		}
		return copyFile(path, to)
	})
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close(), giveAway(to))
}
