package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// A MissingError says that a server cannot be had on this machine, and why: nobody publishes it for this system, or a
// client that would fetch it is not installed.
type MissingError struct {
	Name string // the server's
	Why  string // "needs Debian's apt"
}

func (e *MissingError) Error() string { return fmt.Sprintf("missing: %s (%s)", e.Name, e.Why) }

// A source is a place that servers come from.
type source interface {
	// lacks is what this machine lacks to fetch from here, "" if nothing.
	lacks() string
	// fetch puts the server's files into a folder. What it puts there has been checked against a pinned sum or a
	// signature.
	fetch(ctx context.Context, j job) error
}

// A job is one fetch.
type job struct {
	into      string // an empty folder for the server's files
	downloads string // a folder for what is fetched on the way; it outlives a fetch that failed, so that the next goes on
	say       func(format string, args ...any)
}

// Fetch gets a server of the table, unless [Find] finds it. Progress goes to say, which may be nil.
//
// The server is unpacked beside its place and moved there whole, after it has said the right version: a half-done folder
// is never taken for a server. Two processes that fetch the same one do so in turn, and the second finds what the first
// brought. A fetch that broke off goes on, where its client can, when it is called again.
//
// A [*MissingError] is returned for a server that cannot be had on this machine.
func Fetch(ctx context.Context, name string, say func(format string, args ...any)) (Server, error) {
	at := slices.IndexFunc(table, func(r recipe) bool { return r.name == name })
	if at < 0 {
		return Server{}, fmt.Errorf("fetching %s: no such server; there are %v", name, Names())
	}
	found, ok := Find(name)
	if ok && !found.partial() {
		return found, nil
	}
	if say == nil {
		say = func(string, ...any) {}
	}
	s, err := table[at].fetch(ctx, Cache(), say)
	if err != nil && ok {
		say("keeping %s, which lacks loadable plug-ins: %v", found.Bin, err)
		return found, nil
	}
	return s, err
}

// partial reports whether the table's server is worth fetching although the system has one: Debian's package of
// MariaDB's server alone has no plug-ins.
func (s Server) partial() bool { return s.System && s.Product == "mariadb" && s.Plugins == "" }

// platform names this machine as the table does.
var platform = runtime.GOOS + "/" + runtime.GOARCH

// fetch brings the recipe's server into a cache.
func (r recipe) fetch(ctx context.Context, cache string, say func(string, ...any)) (Server, error) {
	from, ok := r.sources[platform]
	if !ok {
		return Server{}, &MissingError{r.name, "nobody publishes it for " + platform + advice}
	}
	if why := from.lacks(); why != "" {
		return Server{}, &MissingError{r.name, why + advice}
	}
	downloads := filepath.Join(cache, ".fetch", r.name)
	if err := makeOpen(downloads); err != nil {
		return Server{}, fmt.Errorf("fetching %s: %w", r.name, err)
	}
	unlock, err := lock(ctx, downloads+".lock")
	if err != nil {
		return Server{}, fmt.Errorf("fetching %s: %w", r.name, err)
	}
	defer unlock()
	dir := filepath.Join(cache, r.name)
	if s, err := inspect(r.name, dir); err == nil {
		return s, nil // somebody else brought it meanwhile
	}
	if err := r.build(ctx, from, downloads, dir, say); err != nil {
		return Server{}, fmt.Errorf("fetching %s: %w", r.name, err)
	}
	return inspect(r.name, dir)
}

// makeOpen makes a folder and the missing ones above it, and opens those that it makes to every user, whatever the umask.
func makeOpen(folder string) error {
	err := os.Mkdir(folder, 0o755)
	if errors.Is(err, os.ErrNotExist) {
		if err := makeOpen(filepath.Dir(folder)); err != nil {
			return err
		}
		err = os.Mkdir(folder, 0o755)
	}
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(folder, 0o755)
}

// build fetches, unpacks, tries and moves into place. The caller holds the lock.
func (r recipe) build(ctx context.Context, from source, downloads, dir string, say func(string, ...any)) error {
	// The folder has the name and the depth of the final one, for a server that notes where it is.
	into := filepath.Join(downloads, "unpacked", r.name)
	if err := errors.Join(os.RemoveAll(filepath.Dir(into)), os.MkdirAll(into, 0o755)); err != nil {
		return err
	}
	if err := from.fetch(ctx, job{into: into, downloads: downloads, say: say}); err != nil {
		return err
	}
	if err := openToAll(into); err != nil {
		return err
	}
	if _, err := inspect(r.name, into); err != nil {
		return err
	}
	// What is in the way was not taken for a server: remains, or another version.
	if err := os.Rename(dir, filepath.Join(downloads, "unpacked", "old")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(into, dir); err != nil {
		return err
	}
	return os.RemoveAll(downloads)
}

// lock takes a file lock, which the system gives back when the process ends, however it ends. It waits for another
// process or another goroutine that has it.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		got, err := tryLock(file)
		if got {
			return func() { file.Close() }, nil
		}
		if err != nil {
			file.Close()
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("waiting for another fetch: %w", context.Cause(ctx))
		case <-time.After(200 * time.Millisecond):
		}
	}
}
