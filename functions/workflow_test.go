package functions_test

import (
	"strings"
	"testing"
)

func TestTheWorkflowRunsEveryEngineOfWhichThereIsAContainer(t *testing.T) {
	jobs := parse(t, read(t, "../.github/workflows/ci.yml")).at("jobs")
	for _, engine := range folders("../rotators") {
		if engine == "redshift" {
			continue // AWS gives out no image
		}
		job := jobs.at(engine)
		if job.at("services", "db", "image").Node == nil || job.at("env", "ROTOR_TEST_"+strings.ToUpper(engine)).text() == "" {
			t.Errorf("no job for %s", engine)
		}
		if versions := job.at("strategy", "matrix").String(); strings.Count(versions, "str ") < 3 {
			t.Errorf("%s has no versions: %s", engine, versions)
		}
		if !strings.Contains(job.String(), "./rotators/"+engine+"/...") {
			t.Errorf("the job for %s does not test it", engine)
		}
	}
}
