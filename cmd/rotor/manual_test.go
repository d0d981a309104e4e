package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/internal/fleet"
)

// makeManual makes the man pages and completion scripts, as make rotor does.
func makeManual(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "run", "-tags", "man", ".", folder)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return folder
}

// Each --help fits the usual terminal, and all but the plainest have an example.
func TestHelpFitsATerminal(t *testing.T) {
	sh := newShell(t, nil)
	for _, name := range append(sh.commands(t), "") {
		help, stderr, status := sh.run(t, strings.Fields(name+" --help")...)
		if status != exitWell || stderr != "" || !strings.Contains(help, "Usage:") {
			t.Errorf("%s: status %d, %s", name, status, stderr)
		}
		for line := range strings.Lines(help) {
			if len(line) > len("\n")+80 || strings.HasSuffix(line, " \n") {
				t.Errorf("%s: %q", name, line)
			}
		}
		if !slices.Contains([]string{"", "help", "version"}, name) && !strings.Contains(help, "Examples:\n  rotor "+name) && name != "completion" {
			t.Errorf("%s has no example", name)
		}
	}
}

// request is a line of a man page that is no text.
var request = regexp.MustCompile(`^\.(nh|PP|EX|EE|TH "ROTOR[A-Z-]*" "1" "Nov 2023" "Rotor \S+" "Rotor"|SH [A-Z ]+|TP|RS|RE|br)?$`)

// Each command has a man page that says all that its --help says.
func TestEachCommandHasItsManPage(t *testing.T) {
	folder := makeManual(t)
	sh := newShell(t, nil)
	names := []string{""}
	for _, name := range sh.commands(t) {
		if name != "help" {
			names = append(names, name)
		}
	}
	for _, name := range names {
		file := filepath.Join(folder, "man1", strings.TrimSuffix("rotor-"+name, "-")+".1")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, ".") && !request.MatchString(line) {
				t.Errorf("%s: unknown request %q", filepath.Base(file), line)
			}
		}
		help, _, _ := sh.run(t, strings.Fields(name+" --help")...)
		plain := strings.NewReplacer(`\fB`, "", `\fP`, "", `\-`, "-", `\\`, `\`).Replace(string(text))
		for _, option := range regexp.MustCompile(`--[a-z]+`).FindAllString(help, -1) {
			if !strings.Contains(plain, option) && option != "--version" { // which cobra adds when it runs
				t.Errorf("%s: %s is missing", filepath.Base(file), option)
			}
		}
		formatted(t, file)
	}
}

// formatted has groff read a page with all its warnings, where it is installed.
func formatted(t *testing.T, file string) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Logf("groff is not here to read %s", filepath.Base(file))
		return
	}
	if out, err := exec.CommandContext(t.Context(), groff, "-ww", "-man", "-Tascii", "-z", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s: %v\n%s", filepath.Base(file), err, out)
	}
}

// The scripts that are made are those that rotor prints; bash completes by one.
func TestAShellCompletes(t *testing.T) {
	folder := filepath.Join(makeManual(t), "completions")
	s := open(t, "eu-west-1")
	for _, name := range []string{"shop/orders", "shop/users", "mail"} {
		if err := s.create(t.Context(), name, map[string]any{"key": "value"}, fleet.Unrotated); err != nil {
			t.Fatal(err)
		}
	}
	a := newAccount(t, map[string]*region{"eu-west-1": s.region})
	sh := newShell(t, map[string]*account{"default": a})
	for shell, file := range map[string]string{"bash": "rotor.bash", "zsh": "_rotor", "fish": "rotor.fish", "powershell": "rotor.ps1"} {
		printed, stderr, status := sh.run(t, "completion", shell)
		made, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil || status != exitWell || stderr != "" || len(printed) < 1000 || string(made) != printed {
			t.Errorf("%s: status %d, %d bytes; %s; %v", shell, status, len(printed), stderr, err)
		}
		parser := map[string]string{"powershell": "pwsh"}[shell]
		if path, err := exec.LookPath(shell); parser == "" && err == nil {
			if out, err := exec.CommandContext(t.Context(), path, "-n", filepath.Join(folder, file)).CombinedOutput(); err != nil {
				t.Errorf("%s -n: %v\n%s", shell, err, out)
			}
		}
	}
	if err := os.Symlink(sh.path, filepath.Join(folder, "rotor")); err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]string{
		"rec":               "recover",
		"recover shop/":     "shop/orders shop/users",
		"recover mail ":     "",
		"check mail shop/u": "shop/users",
		"status -o ":        "table json csv html",
		"completion f":      "fish",
	} {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", `source rotor.bash
_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; } # bash-completion has it
read -ra COMP_WORDS <<<"rotor $1"; [[ $1 != *" " ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE="rotor $1" COMP_POINT=$((6 + ${#1})) COMP_TYPE=9
__start_rotor rotor; echo "${COMPREPLY[*]%% *}"`, "bash", words)
		cmd.Dir, cmd.Env = folder, append(sh.env, "PATH="+folder+":"+os.Getenv("PATH"))
		out, err := cmd.Output()
		if got := strings.Join(strings.Fields(string(out)), " "); err != nil || got != want {
			t.Errorf("rotor %s<tab>: %q, want %q; %v", words, got, want, err)
		}
	}
	// What cannot be asked is not offered, and nothing is said of it.
	a.spoiling(t, func(string, int) (string, string) { return "AccessDeniedException", "Said by AWS." })
	for _, sh := range []*shell{sh, newShell(t, nil, "AWS_EC2_METADATA_DISABLED=true")} {
		if out, stderr, status := sh.run(t, "__completeNoDesc", "recover", ""); out != ":4\n" || strings.Contains(stderr, "AWS") || status != exitWell {
			t.Errorf("status %d, %q, %s", status, out, stderr)
		}
	}
}
