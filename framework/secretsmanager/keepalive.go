package secretsmanager

import (
	"io"
	"net/http"

	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// keepAlive keeps connections open that net/http would drop. The SDK's request
// body has a WriteTo that reports io.EOF once the body is closed; if the reply
// is there before net/http has looked for the body's end, it takes that for a
// failed write, and does not use the connection again. A body without WriteTo
// is read instead.
type keepAlive struct{ sm.HTTPClient }

// Do implements sm.HTTPClient.
func (c keepAlive) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.WithContext(r.Context()) // the caller's request stays as it is
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.HTTPClient.Do(r)
}
