package local

import (
	"debug/elf"
	"encoding/base64"
	"net/http"
	"runtime"
	"strconv"
	"time"
)

// maxFunctions is the most functions in one answer, even if the caller asks for more.
const maxFunctions = 50

// functionConfiguration is the API's FunctionConfiguration, as far as it is known here.
type functionConfiguration struct {
	FunctionName, FunctionArn, Version string
	Description, LastModified          string
	Runtime, PackageType               string
	Handler                            string `json:",omitempty"`
	Architectures                      []string
	Environment                        *functionEnvironment `json:",omitempty"`
	MemorySize                         int
	Timeout                            int // seconds
	LoggingConfig                      functionLogging
	State, LastUpdateStatus            string `json:",omitempty"`
}

type functionEnvironment struct{ Variables map[string]string }

type functionLogging struct{ LogFormat, LogGroup string }

// configuration is what ListFunctions tells of a function.
func (c callee) configuration() functionConfiguration {
	out := functionConfiguration{
		FunctionName: c.config.Name, FunctionArn: c.arn(), Version: latest, Description: c.config.Description,
		LastModified: c.since.UTC().Format("2006-01-02T15:04:05.000-0700"),
		Runtime:      c.config.Runtime, PackageType: "Zip",
		Architectures: []string{c.config.architecture()},
		MemorySize:    c.config.MemoryMB,
		Timeout:       int((c.config.Timeout + time.Second - 1) / time.Second),
		LoggingConfig: functionLogging{firstOf(c.config.Env[variableLogFormat], logFormat), c.config.logGroup()},
	}
	if c.config.Bootstrap != "" {
		out.Handler = "bootstrap"
	}
	if len(c.config.Env) > 0 {
		out.Environment = &functionEnvironment{c.config.Env}
	}
	return out
}

// detailed is what the operations on one function tell.
func (c callee) detailed() functionConfiguration {
	out := c.configuration()
	out.State, out.LastUpdateStatus = "Active", "Successful"
	return out
}

// architecture is what the bootstrap was built for, as its head says.
func (c FunctionConfig) architecture() string {
	machine := runtime.GOARCH
	if file, err := elf.Open(c.Bootstrap); err == nil { // Else it is of this system's own form, or there is none.
		defer file.Close()
		machine = file.Machine.String()
	}
	if machine == "arm64" || machine == elf.EM_AARCH64.String() {
		return "arm64"
	}
	return "x86_64"
}

func (f *Functions) getFunctionConfiguration(r *http.Request) (functionConfiguration, error) {
	query, err := parameters(r, "Qualifier")
	if err != nil {
		return functionConfiguration{}, err
	}
	function, err := f.lookup(r.PathValue("name"), query.Get("Qualifier"))
	if err != nil {
		return functionConfiguration{}, err
	}
	return function.detailed(), nil
}

type getFunctionOut struct{ Configuration functionConfiguration }

func (f *Functions) getFunction(r *http.Request) (getFunctionOut, error) {
	configuration, err := f.getFunctionConfiguration(r)
	return getFunctionOut{configuration}, err
}

type listFunctionsOut struct {
	Functions  []functionConfiguration
	NextMarker string `json:",omitempty"`
}

// listFunctions lists in the order of ARNs, of which a marker holds the last one: what is added or replaced between two
// pages makes no function appear twice, nor be left out.
func (f *Functions) listFunctions(r *http.Request) (listFunctionsOut, error) {
	out := listFunctionsOut{Functions: []functionConfiguration{}}
	query, err := parameters(r, "Marker", "MaxItems")
	if err != nil {
		return out, err
	}
	size, err := pageSize(query.Get("MaxItems"))
	if err != nil {
		return out, err
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("Marker"))
	if err != nil {
		return out, lambdaFail(codeBadValue, "The Marker is not one that ListFunctions has given.")
	}
	last := ""
	for _, function := range f.all() {
		if function.ARN() <= string(after) {
			continue
		}
		if len(out.Functions) == size {
			out.NextMarker = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		out.Functions = append(out.Functions, callee{Function: function}.configuration())
		last = function.ARN()
	}
	return out, nil
}

func pageSize(text string) (int, error) {
	if text == "" {
		return maxFunctions, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 1:
		return 0, invalid(text, "maxItems", "have value greater than or equal to 1")
	case n > 10000:
		return 0, invalid(text, "maxItems", "have value less than or equal to 10000")
	}
	return min(n, maxFunctions), nil
}
