package deploy_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The files in events are for sam local invoke: one for each step, and the
// trial, which is a testSecret of a version without a value.
func TestTheExampleEventsAreRotationEvents(t *testing.T) {
	steps := map[string]string{"create": "createSecret", "set": "setSecret", "test": "testSecret", "finish": "finishSecret", "preflight": "testSecret"}
	for _, engine := range folders("../rotators") {
		tokens := map[string][]string{}
		for file, step := range steps {
			path := filepath.Join("../functions", engine, "events", file+".json")
			var e map[string]string
			if err := json.Unmarshal([]byte(read(t, path)), &e); err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if e["Step"] != step || !strings.HasPrefix(e["SecretId"], "arn:aws:secretsmanager:") || len(e["ClientRequestToken"]) != 36 || len(e["RotationToken"]) != 36 || len(e) != 4 {
				t.Errorf("%s is %v", path, e)
			}
			tokens[e["ClientRequestToken"]] = append(tokens[e["ClientRequestToken"]], file)
		}
		for token, files := range tokens {
			if slices.Contains(files, "preflight") != (len(files) == 1) || len(tokens) != 2 {
				t.Errorf("%s: %v have the token %s; the four steps share one, the trial has its own", engine, files, token)
			}
		}
	}
}
