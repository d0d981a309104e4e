package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mavenPlugin is pinned, because another version takes other options.
const mavenPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get"

// A maven source is an archive on Maven Central, fetched by Maven's own client and its settings.
type maven struct {
	artifact string // group:artifact:version:extension[:classifier]
	size     string // "553 MB", to say
	sum      string // its SHA-256
	place    func(string) string
}

func (m maven) lacks() string {
	if _, err := exec.LookPath("mvn"); err != nil {
		return "needs mvn, the client of Maven"
	}
	return ""
}

func (m maven) fetch(ctx context.Context, j job) error {
	repository := filepath.Join(j.downloads, "maven") // not the user's own: what is fetched is removed again
	archive := filepath.Join(repository, m.path())
	if _, err := os.Stat(archive); err != nil {
		j.say("fetching %s by mvn (%s)", m.artifact, m.size)
		err := run(ctx, nil, "mvn", "-B", "-ntp", "-q", "-Dmaven.repo.local="+repository, mavenPlugin, "-Dartifact="+m.artifact, "-Dtransitive=false")
		if err != nil {
			return err
		}
	}
	if err := checkSum(archive, m.sum); err != nil {
		return err
	}
	return unzip(archive, j.into, m.place)
}

// path is where a Maven repository keeps the artifact.
func (m maven) path() string {
	p := strings.Split(m.artifact, ":")
	group, id, version, extension := p[0], p[1], p[2], p[3]
	file := id + "-" + version
	if len(p) > 4 {
		file += "-" + p[4]
	}
	return filepath.Join(strings.ReplaceAll(group, ".", "/"), id, version, file+"."+extension)
}

// run runs a program to its end. An error has the last lines that it wrote.
func run(ctx context.Context, env []string, name string, args ...string) error {
	return runIn(ctx, "", env, name, args...)
}

// runIn runs a program in a folder.
func runIn(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s: %w: %s", name, err, strings.Join(lines[max(0, len(lines)-4):], "; "))
	}
	return nil
}
