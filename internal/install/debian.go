package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A debian source is packages of one release of Debian, whatever the machine's own release is. apt resolves and
// verifies them in a root of its own: its lists, its archive of packages, its configuration and hooks and what it knows
// to be installed are this fetch's. The packages are unpacked and never installed; none of their scripts runs.
type debian struct {
	suite    string
	packages []string // with the libraries that they depend on
	alone    []string // without
	optional bool     // where there is no apt, the system's own libraries may do
}

func (d debian) lacks() string {
	if d.optional {
		return ""
	}
	return aptLacks()
}

// aptLacks is what this machine lacks to fetch Debian's packages.
func aptLacks() string {
	for _, program := range []string{"apt-get", "apt-config", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return "needs Debian's apt"
		}
	}
	if keyring() == "" {
		return "needs the keys of Debian's archive: the package debian-archive-keyring"
	}
	if mirror("/") == "" {
		return "needs a mirror of Debian's archive: ROTOR_DEBIAN"
	}
	return ""
}

// keyring is the file with the keys of all releases.
func keyring() string {
	return first("/usr/share/keyrings", "debian-archive-keyring.gpg", "debian-archive-keyring.pgp")
}

func (d debian) fetch(ctx context.Context, j job) error {
	if d.optional && aptLacks() != "" {
		j.say("taking the system's own libraries: %s", aptLacks())
		return nil
	}
	apt, err := newApt(ctx, filepath.Join(j.downloads, "apt-"+d.suite), d.suite)
	if err != nil {
		return err
	}
	j.say("fetching %s from Debian %s by apt", strings.Join(append(slices.Clone(d.packages), d.alone...), ", "), d.suite)
	if err := apt.run(ctx, "update"); err != nil {
		return err
	}
	install := append([]string{"install", "--download-only", "--yes", "--no-install-recommends"}, d.packages...)
	if err := apt.run(ctx, install...); err != nil {
		return err
	}
	if len(d.alone) > 0 {
		if err := apt.run(ctx, append([]string{"download"}, d.alone...)...); err != nil {
			return err
		}
	}
	if err := apt.unpack(ctx, j.into, append(slices.Clone(d.packages), d.alone...)); err != nil {
		return err
	}
	return prune(j.into)
}

// An apt is a root for apt in one folder.
type apt struct{ folder string }

func newApt(ctx context.Context, folder, suite string) (*apt, error) {
	a := &apt{folder}
	for _, sub := range []string{"state/lists/partial", "cache/archives/partial", "empty"} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o755); err != nil {
			return nil, err
		}
	}
	network, err := exec.CommandContext(ctx, "apt-config", "dump", "Acquire").Output()
	if err != nil {
		return nil, fmt.Errorf("reading apt's settings: %w", err)
	}
	files := map[string][]byte{
		"status":       nil, // nothing is installed
		"sources.list": fmt.Appendf(nil, "deb [signed-by=%s] %s %s main\n", keyring(), mirror("/"), suite),
		"apt.conf":     configuration(folder, network),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// configuration is all that apt reads. The machine's own is left out, for it may have hooks that work on the system's
// files, except for how to reach the network: proxies, certificates, time limits.
func configuration(folder string, network []byte) []byte {
	var c bytes.Buffer
	for line := range bytes.Lines(network) {
		if !bytes.HasPrefix(line, []byte("Acquire::IndexTargets")) && !bytes.HasPrefix(line, []byte(`Acquire "`)) {
			c.Write(line)
		}
	}
	fmt.Fprintf(&c, `
Dir::Etc::parts "/dev/null";
Dir::Etc::main "/dev/null";
Dir::Etc::sourcelist "%[1]s/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "%[1]s/empty";
Dir::State "%[1]s/state";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s/cache";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
`, folder)
	return c.Bytes()
}

func (a *apt) run(ctx context.Context, args ...string) error {
	env := []string{"APT_CONFIG=" + filepath.Join(a.folder, "apt.conf"), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"}
	return runIn(ctx, filepath.Join(a.folder, "cache/archives"), env, "apt-get", append([]string{"--quiet=2"}, args...)...)
}

// unpack unpacks the wanted packages and, of those that they depend on, the libraries.
func (a *apt) unpack(ctx context.Context, into string, wanted []string) error {
	debs, err := filepath.Glob(filepath.Join(a.folder, "cache/archives/*.deb"))
	if err != nil || len(debs) == 0 {
		return errors.Join(errors.New("apt brought no package"), err)
	}
	for _, deb := range debs {
		name, _, _ := strings.Cut(filepath.Base(deb), "_")
		if slices.Contains(wanted, name) || isLibrary(name) {
			if err := run(ctx, nil, "dpkg-deb", "--extract", deb, into); err != nil {
				return err
			}
		}
	}
	return nil
}

// isLibrary reports whether a package is a shared library, and not one of Perl's.
func isLibrary(name string) bool {
	return (strings.HasPrefix(name, "lib") || name == "zlib1g") && !strings.HasPrefix(name, "libperl") && !strings.HasSuffix(name, "-perl")
}

// prune removes what packages have beside programs and libraries: documentation, and settings of a system.
func prune(dir string) error {
	err := errors.Join(os.RemoveAll(filepath.Join(dir, "etc")), os.RemoveAll(filepath.Join(dir, "var")))
	entries, _ := os.ReadDir(filepath.Join(dir, "usr/share")) // none if there is no such folder
	for _, e := range entries {
		if e.Name() != "mysql" && e.Name() != "mariadb" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, "usr/share", e.Name())))
		}
	}
	return err
}

// both is one source's files and then another's, in one folder.
type both [2]source

func (b both) lacks() string {
	if why := b[0].lacks(); why != "" {
		return why
	}
	return b[1].lacks()
}

func (b both) fetch(ctx context.Context, j job) error {
	if err := b[0].fetch(ctx, j); err != nil {
		return err
	}
	return b[1].fetch(ctx, j)
}
