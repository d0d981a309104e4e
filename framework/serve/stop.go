package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// stop ends a function that cannot start. It tells the Lambda service why, so
// that the caller of the function sees it and not only the log does.
// Source: Lambda developer guide, "Runtime API", initialization error.
func stop(err error) {
	message := fmt.Sprintf("%s: %v. %s", rotation.BadConfig, err, rotation.BadConfig.Remedy())
	body, _ := json.Marshal(map[string]string{"errorType": string(rotation.BadConfig), "errorMessage": message}) // strings always marshal
	fmt.Fprintln(os.Stderr, string(body))
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		post(api, body)
	}
	os.Exit(1)
}

func post(api string, body []byte) {
	req, err := http.NewRequest(http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body))
	if err != nil {
		return // the log has it
	}
	req.Header.Set("Lambda-Runtime-Function-Error-Type", string(rotation.BadConfig))
	client := http.Client{Timeout: 2 * time.Second}
	if resp, err := client.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}
