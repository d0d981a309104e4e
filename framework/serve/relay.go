package serve

import (
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A relay is where the standard logger writes: the Lambda runtime uses it. What it
// says comes into the function's own log, but for the answers of failed steps,
// which are there already.
type relay struct{ log *slog.Logger }

func (r relay) Write(line []byte) (int, error) {
	var answer struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(line, &answer) != nil || !strings.HasPrefix(answer.Type, rotation.Prefix) {
		r.log.Warn(strings.TrimSpace(string(line)))
	}
	return len(line), nil
}
