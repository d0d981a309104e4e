package servertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// A Statement is a line of what [Record] writes.
type Statement struct {
	Driver bool   `json:"driver"` // a rotator sent it; else a test, to make its world
	Text   string `json:"text"`
}

// Record adds a statement that an imitation was sent to the folder that ROTOR_RECORD_STATEMENTS names, for `make
// grammar`, in a file of the engine and the process: one JSON text a line, each once. Passwords and hashes are not in it.
// Without the variable nothing is written.
func Record(engine string, driver bool, text string) {
	folder := os.Getenv("ROTOR_RECORD_STATEMENTS")
	if folder == "" {
		return
	}
	recorded.add(filepath.Join(folder, fmt.Sprintf("%s-%d.jsonl", engine, os.Getpid())), Statement{driver, withoutPasswords(text)})
}

var recorded record

// A record is what this process has written.
type record struct {
	mu   sync.Mutex
	file *os.File
	seen map[Statement]bool
}

// add panics if it cannot write: half a record would be read as all of it.
func (r *record) add(path string, s Statement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[s] {
		return
	}
	if r.file == nil {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			panic(fmt.Sprintf("recording statements: %v", err))
		}
		r.file, r.seen = file, map[Statement]bool{}
	}
	r.seen[s] = true
	if err := json.NewEncoder(r.file).Encode(s); err != nil {
		panic(fmt.Sprintf("recording statements: %v", err))
	}
}

// secrets are the words before a password or a hash, and the text after them, in the forms of all engines.
var secrets = regexp.MustCompile(`(?i)(\b(?:PASSWORD|OLD_PASSWORD|IDENTIFIED\s+BY(?:\s+VALUES)?|REPLACE)\s*=?\s*)(?:(N?')(?:[^']|'')*'|(")[^"]*"|(0x)[0-9a-f]+)`)

// withoutPasswords puts a word in the place of every password and hash. The form of the statement stays.
func withoutPasswords(text string) string {
	return secrets.ReplaceAllStringFunc(text, func(found string) string {
		m := secrets.FindStringSubmatch(found)
		switch {
		case m[2] != "":
			return m[1] + m[2] + "redacted'"
		case m[3] != "":
			return m[1] + `"redacted"`
		}
		return m[1] + "0x00"
	})
}
