package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fakeServer is a source of a server that is a shell script. It counts its fetches.
type fakeServer struct {
	program, says string
	fetches       *atomic.Int32
	wait          time.Duration
	err           error
	needs         string
}

func (f fakeServer) lacks() string { return f.needs }

func (f fakeServer) fetch(_ context.Context, j job) error {
	f.fetches.Add(1)
	err := script(filepath.Join(j.into, "bin", f.program), "echo '"+f.says+"'")
	time.Sleep(f.wait)
	return errors.Join(err, f.err, os.WriteFile(filepath.Join(j.downloads, "kept"), nil, 0o600))
}

// script writes a program.
func script(path, text string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700))
}

func fake(name string, f fakeServer) recipe { return recipe{name, map[string]source{platform: f}} }

func quiet(string, ...any) {}

const mysqldSays = "mysqld  Ver 8.0.33 for Linux on x86_64"

func TestFetchBringsAServerThatFindFinds(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("ROTOR_SERVERS", cache)
	var n atomic.Int32
	got, err := fake("mysql-8.0", fakeServer{program: "mysqld", says: mysqldSays, fetches: &n}).fetch(t.Context(), cache, quiet)
	if err != nil {
		t.Fatal(err)
	}
	found, ok := Find("mysql-8.0")
	if !ok || found.Dir != got.Dir || found.Version != "8.0.33" || found.System {
		t.Errorf("found %v %+v, fetched %+v", ok, found, got)
	}
	info, err := os.Stat(filepath.Join(got.Bin, "mysqld"))
	if err != nil || info.Mode().Perm()&0o555 != 0o555 {
		t.Errorf("not every user can run it: %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(cache, ".fetch", "mysql-8.0")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("downloads are left: %v", err)
	}
}

func TestTwoFetchesAtOnceFetchOnce(t *testing.T) {
	cache := t.TempDir()
	var n atomic.Int32
	r := fake("mysql-8.0", fakeServer{program: "mysqld", says: mysqldSays, fetches: &n, wait: 100 * time.Millisecond})
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := r.fetch(t.Context(), cache, quiet); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if n.Load() != 1 {
		t.Errorf("%d fetches", n.Load())
	}
}

func TestWhatIsHalfDoneIsNoServer(t *testing.T) {
	for name, f := range map[string]fakeServer{
		"the source failed":   {program: "mysqld", says: mysqldSays, err: errors.New("the connection broke")},
		"another version":     {program: "mysqld", says: "mysqld  Ver 8.4.1 for Linux on x86_64"},
		"it is MariaDB":       {program: "mysqld", says: "mysqld  Ver 8.0.33-MariaDB for Linux on x86_64"},
		"it has no program":   {program: "readme", says: ""},
		"it says nothing fit": {program: "mysqld", says: "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			t.Setenv("ROTOR_SERVERS", cache)
			f.fetches = new(atomic.Int32)
			if _, err := fake("mysql-8.0", f).fetch(t.Context(), cache, quiet); err == nil {
				t.Error("no error")
			}
			if _, err := os.Stat(filepath.Join(cache, "mysql-8.0")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a folder is there: %v", err)
			}
			if _, err := os.Stat(filepath.Join(cache, ".fetch", "mysql-8.0", "kept")); err != nil {
				t.Errorf("the downloads are gone: %v", err)
			}
		})
	}
}

func TestRemainsMakeWayForAServer(t *testing.T) {
	cache := t.TempDir()
	if err := script(filepath.Join(cache, "mysql-8.0", "bin", "mysqld"), "exit 127"); err != nil {
		t.Fatal(err)
	}
	f := fakeServer{program: "mysqld", says: mysqldSays, fetches: new(atomic.Int32)}
	if s, err := fake("mysql-8.0", f).fetch(t.Context(), cache, quiet); err != nil || s.Version != "8.0.33" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestWhatCannotBeHadIsMissingAndSaysWhy(t *testing.T) {
	for want, r := range map[string]recipe{
		"missing: mongodb-9.9 (needs pip" + advice + ")":                           fake("mongodb-9.9", fakeServer{needs: "needs pip"}),
		"missing: mongodb-9.9 (nobody publishes it for " + platform + advice + ")": {name: "mongodb-9.9"},
	} {
		_, err := r.fetch(t.Context(), t.TempDir(), quiet)
		var missing *MissingError
		if !errors.As(err, &missing) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Fetch(t.Context(), "mysql-1.0", nil); err == nil || !strings.Contains(err.Error(), "mysql-9.7") {
		t.Errorf("an unknown server: %v", err)
	}
}

func TestWaitingForAnotherFetchEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestAServerWithItsOwnLoaderIsRunByIt(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("ROTOR_SERVERS", cache)
	dir := filepath.Join(cache, "mysql-9.7")
	loader := filepath.Join(dir, "usr/lib64/ld-linux-x86-64.so.2")
	server := filepath.Join(dir, "usr/sbin/mysqld")
	for path, text := range map[string]string{
		loader: `[ "$1" = --library-path ] && shift 2 && exec "$@"`,
		server: "echo '/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64'",
		filepath.Join(dir, "usr/share/mysql/charsets/Index.xml"):                    "",
		filepath.Join(dir, "usr/lib/mysql/plugin/component_validate_password.so"):   "",
		filepath.Join(dir, "usr/lib/x86_64-linux-gnu/libc.so.6"):                    "",
		filepath.Join(dir, "usr/bin/mysqladmin"):                                    "",
		filepath.Join(cache, ".fetch/mysql-9.7/unpacked/mysql-9.7/usr/sbin/mysqld"): "",
	} {
		if err := script(path, text); err != nil {
			t.Fatal(err)
		}
	}
	s, ok := Find("mysql-9.7")
	if !ok {
		t.Fatal("not found")
	}
	argv, _ := s.Command("mysqld")
	want := []string{
		loader, "--library-path", filepath.Join(dir, "usr/lib/x86_64-linux-gnu"), server, "--no-defaults",
		"--basedir=" + filepath.Join(dir, "usr"),
		"--lc-messages-dir=" + filepath.Join(dir, "usr/share/mysql"),
		"--character-sets-dir=" + filepath.Join(dir, "usr/share/mysql/charsets"),
		"--plugin-dir=" + filepath.Join(dir, "usr/lib/mysql/plugin"),
	}
	if !slices.Equal(argv, want) {
		t.Errorf("mysqld is run by\n%q, want\n%q", argv, want)
	}
	if argv, _ := s.Command("mysqladmin"); len(argv) != 4 || argv[3] != filepath.Join(dir, "usr/bin/mysqladmin") {
		t.Errorf("mysqladmin is run by %q", argv)
	}
	if argv, _ := s.Command("mongod"); argv != nil {
		t.Errorf("mongod is run by %q", argv)
	}
}

func TestAPostgreSQLWithoutInitdbIsNoServer(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("ROTOR_SERVERS", cache)
	t.Setenv("PATH", "")
	bin := filepath.Join(cache, "postgres-99", "bin")
	if err := script(filepath.Join(bin, "postgres"), "echo 'postgres (PostgreSQL) 99.1'"); err != nil {
		t.Fatal(err)
	}
	if s, ok := Find("postgres-99"); ok {
		t.Errorf("found %+v", s)
	}
	if err := script(filepath.Join(bin, "initdb"), ""); err != nil {
		t.Fatal(err)
	}
	if s, ok := Find("postgres-99"); !ok || s.Version != "99.1" || s.Bin != bin {
		t.Errorf("found %v %+v", ok, s)
	}
}

func TestAServerOnPATHIsFound(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("ROTOR_SERVERS", t.TempDir())
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	if err := script(filepath.Join(folder, "mongod"), "echo 'db version v98.7.1'"); err != nil {
		t.Fatal(err)
	}
	s, ok := Find("mongodb-98.7")
	if !ok || !s.System || s.Version != "98.7.1" {
		t.Errorf("found %v %+v", ok, s)
	}
	if _, ok := Find("mongodb-98.8"); ok {
		t.Error("found another series")
	}
}
