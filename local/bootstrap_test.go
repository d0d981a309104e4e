package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// bootstrapMode is the variable that makes the test binary act as a bootstrap. Its value says how to initialise.
const bootstrapMode = "LOCAL_TEST_BOOTSTRAP"

// runBootstrap is a small Lambda runtime. In the mode "serve" it does what each event says.
func runBootstrap(mode string) {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	switch mode {
	case "exit":
		fmt.Fprintln(os.Stderr, "cannot go on")
		os.Exit(3)
	case "initerror":
		postBody(api+"init/error", "Rotation.BadConfig", `{"errorMessage":"PASSWORD_LENGTH is wrong","errorType":"Rotation.BadConfig"}`)
		os.Exit(1)
	case "silent":
		time.Sleep(time.Hour)
	case "slow":
		time.Sleep(50 * time.Millisecond)
	}
	for {
		serveOne(api)
	}
}

func serveOne(api string) {
	response, err := http.Get(api + "invocation/next")
	if err != nil {
		os.Exit(9)
	}
	event, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		os.Exit(9)
	}
	id := api + "invocation/" + response.Header.Get("Lambda-Runtime-Aws-Request-Id")
	text := string(event)
	_ = json.Unmarshal(event, &text) // By the Lambda API, the words come as a JSON text.
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "facts":
		body, _ := json.Marshal(map[string]any{"headers": response.Header, "env": os.Environ(), "pid": os.Getpid()})
		postBody(id+"/response", "", string(body))
	case "error":
		postBody(id+"/error", "Header.Type", rest)
	case "panic":
		postBody(id+"/error", "", `{"errorMessage":"boom","errorType":"string","stackTrace":[{"line":7}]}`)
		os.Exit(2)
	case "exit":
		os.Exit(5)
	case "exitzero":
		os.Exit(0)
	case "die":
		p, _ := os.FindProcess(os.Getpid())
		_ = p.Kill()
		select {}
	case "hang":
		fmt.Println("hanging")
		select {}
	case "sleep":
		time.Sleep(time.Second)
		postBody(id+"/response", "", "awake")
	case "child":
		child := exec.Command("sleep", "1000")
		_ = child.Start()
		postBody(id+"/response", "", fmt.Sprint(child.Process.Pid))
	case "stubborn": // It does not even notice that the Runtime API is gone.
		postBody(id+"/response", "", fmt.Sprint(os.Getpid()))
		select {}
	case "idleexit":
		postBody(id+"/response", "", "bye")
		os.Exit(0)
	case "wrongid":
		wrong, _ := http.Post(api+"invocation/nothing/response", "", nil)
		early, _ := http.Get(api + "invocation/next")
		postBody(id+"/response", "", fmt.Sprint(wrong.StatusCode, early.StatusCode))
	case "large":
		postBody(id+"/response", "", strings.Repeat("x", 6<<20+1))
	default:
		fmt.Println("echo on stdout")
		fmt.Fprintln(os.Stderr, "echo on stderr")
		postBody(id+"/response", "", string(event))
	}
}

func postBody(url, errorType, body string) {
	request, _ := http.NewRequest(http.MethodPost, url, bytes.NewBufferString(body))
	request.Header.Set("Lambda-Runtime-Function-Error-Type", errorType)
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
	}
}
