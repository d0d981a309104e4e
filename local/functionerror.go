package local

import (
	"encoding/json"
	"strings"
)

// The error types that Lambda itself reports, as opposed to the function.
const (
	typeTimedOut     = "Sandbox.Timedout"
	typeExited       = "Runtime.ExitError"
	typeNoEntrypoint = "Runtime.InvalidEntrypoint"
	typeTooLarge     = "Function.ResponseSizeTooLarge"
	typeUnknown      = "Runtime.Unknown"
)

// FunctionError is a failed invocation or initialisation, as Lambda reports it to the caller. Type is the function's
// own error type, or one of Lambda's: Sandbox.Timedout (the time-out passed and the process was killed),
// Runtime.ExitError (the process ended), Runtime.InvalidEntrypoint (the bootstrap could not be started),
// Function.ResponseSizeTooLarge.
type FunctionError struct {
	Type    string
	Message string
	// StackTrace is the function's stackTrace as it sent it, nil if it sent none.
	StackTrace json.RawMessage
	// ExitCode is the process's exit code for Runtime.ExitError, -1 if a signal ended it.
	ExitCode int

	// document is the JSON that the function sent, nil if it sent none.
	document json.RawMessage
}

// errorDocument is how the Lambda API and the Runtime API tell an error.
type errorDocument struct {
	ErrorType    string          `json:"errorType"`
	ErrorMessage string          `json:"errorMessage"`
	StackTrace   json.RawMessage `json:"stackTrace,omitempty"`
}

func (e *FunctionError) Error() string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}

// parseFunctionError reads what a runtime posts. A body that is no error document becomes the message.
func parseFunctionError(header string, body []byte) *FunctionError {
	var document errorDocument
	sent := json.RawMessage(body)
	if json.Unmarshal(body, &document) != nil {
		sent, document.ErrorMessage = nil, strings.ToValidUTF8(string(body), "\uFFFD")
	}
	if string(document.StackTrace) == "null" {
		document.StackTrace = nil
	}
	return &FunctionError{
		Type:       firstOf(document.ErrorType, header, typeUnknown),
		Message:    document.ErrorMessage,
		StackTrace: document.StackTrace,
		document:   sent,
	}
}

// json is the error as Lambda answers it: what the function sent, or else a document of Lambda's own.
func (e *FunctionError) json() []byte {
	if e.document != nil {
		return e.document
	}
	text, _ := encode(errorDocument{e.Type, e.Message, e.StackTrace}) // StackTrace is valid: it was parsed.
	return text
}
