package local

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

const (
	variableAPI       = "AWS_LAMBDA_RUNTIME_API"
	variableLogFormat = "AWS_LAMBDA_LOG_FORMAT"
	logFormat         = "JSON"
)

func (c FunctionConfig) arn() string {
	return "arn:aws:lambda:" + c.Region + ":" + c.Account + ":function:" + c.Name
}

func (c FunctionConfig) logGroup() string { return "/aws/lambda/" + c.Name }

// taskRoot is the folder of the code: the process's working directory.
func (c FunctionConfig) taskRoot() string { return filepath.Dir(c.Bootstrap) }

// environment is what Lambda sets for provided.al2023 (developer guide, "Defined runtime environment variables"),
// with credentials that open nothing, then the caller's own variables.
func (c FunctionConfig) environment(api string) []string {
	variables := map[string]string{
		"AWS_ACCESS_KEY_ID":               "ASIALOCALFUNCTION000",
		"AWS_DEFAULT_REGION":              c.Region,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_FUNCTION_NAME":        c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		variableLogFormat:                 logFormat,
		"AWS_LAMBDA_LOG_GROUP_NAME":       c.logGroup(),
		"AWS_LAMBDA_LOG_STREAM_NAME":      time.Now().UTC().Format("2006/01/02") + "/[$LATEST]" + randomText(hexDigits, 32),
		"AWS_REGION":                      c.Region,
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_SESSION_TOKEN":               "local",
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"LAMBDA_TASK_ROOT":                c.taskRoot(),
		"LANG":                            "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":                              ":UTC",
		"_HANDLER":                        "bootstrap",
	}
	maps.Copy(variables, c.Env)
	variables[variableAPI] = api
	var list []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		list = append(list, name+"="+variables[name])
	}
	return list
}
