package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const debian12 = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_CODENAME=bookworm\n"

func TestTheMirrorIsTheMachinesOwn(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"one line": {map[string]string{
			"etc/os-release":       debian12,
			"etc/apt/sources.list": "# deb http://old.example/debian bookworm main\ndeb-src http://src.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib\ndeb http://mirror.example/debian-security bookworm-security main\n",
		}, "http://mirror.example/debian"},
		"paragraphs": {map[string]string{
			"etc/os-release": debian12,
			"etc/apt/sources.list.d/debian.sources": "Types: deb\n# a comment\nURIs: http://mirror.example/debian/\nSuites: bookworm bookworm-updates\nComponents: main\n\n" +
				"Types: deb\nURIs: http://security.example/debian-security\nSuites: bookworm-security\nComponents: main\n",
		}, "http://mirror.example/debian/"},
		"others have the same suite": {map[string]string{
			"etc/os-release":                      debian12,
			"etc/apt/sources.list.d/a.list":       "deb https://vendor.example/apt bookworm main\n",
			"etc/apt/sources.list.d/b.sources":    "Types: deb\nURIs: https://node.example\nSuites: nodistro\nComponents: main\n",
			"etc/apt/sources.list.d/debian.list":  "deb mirror+file:/etc/apt/mirrors/debian bookworm main\n",
			"etc/apt/sources.list.d/c.sources":    "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n",
			"etc/apt/sources.list.d/ignored.save": "deb http://saved.example/debian bookworm main\n",
		}, "mirror+file:/etc/apt/mirrors/debian"},
		"not Debian": {map[string]string{
			"etc/os-release":       "ID=ubuntu\nVERSION_CODENAME=noble\n",
			"etc/apt/sources.list": "deb http://mirror.example/ubuntu noble main\n",
		}, ""},
		"nothing": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("ROTOR_DEBIAN", "")
			root := t.TempDir()
			for path, text := range test.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := mirror(root); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	t.Setenv("ROTOR_DEBIAN", "http://named.example/debian")
	if got := mirror(t.TempDir()); got != "http://named.example/debian" {
		t.Errorf("ROTOR_DEBIAN is ignored: %q", got)
	}
}

func TestAptWorksOnNothingOfTheSystems(t *testing.T) {
	got := string(configuration("/cache/apt", []byte("Acquire \"\";\nAcquire::http::Proxy \"http://proxy.example:3128\";\nAcquire::IndexTargets::deb::DEP-11::KeepCompressed \"true\";\n")))
	if !strings.Contains(got, "proxy.example") || strings.Contains(got, "DEP-11") {
		t.Errorf("the network's settings alone are wanted of the machine's:\n%s", got)
	}
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "Dir::") && !strings.Contains(line, `"/cache/apt/`) && !strings.Contains(line, `"/dev/null"`) {
			t.Errorf("apt works on %s", line)
		}
	}
}

func TestOfDependenciesOnlyLibrariesAreUnpacked(t *testing.T) {
	for name, want := range map[string]bool{
		"libc6": true, "libssl3t64": true, "zlib1g": true, "libgcc-s1": true,
		"perl": false, "perl-base": false, "libperl5.36": false, "libjson-perl": false, "debconf": false, "gcc-12-base": false,
	} {
		if isLibrary(name) != want {
			t.Errorf("isLibrary(%s) = %v", name, !want)
		}
	}
}
