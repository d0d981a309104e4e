package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// A download brings one file over HTTP. What came before the connection broke is kept beside the file, in one that ends
// in .part, and the next attempt, in this process or another, asks for the rest alone (RFC 9110, section 14).
type download struct {
	client  http.RoundTripper
	request *http.Request // a GET
	to      string
	sum     string // the file's SHA-256
}

// Limits of a download. Tests shorten them.
var (
	attempts   = 5
	patience   = 2 * time.Second // before the second attempt; it doubles
	stall      = time.Minute     // without a byte
	mostOfFile = int64(1 << 30)
)

// errFinal marks what another attempt cannot mend.
var errFinal = errors.New("not tried again")

// do brings the file, or nothing: the file is there only if it has the sum.
func (d download) do(ctx context.Context) error {
	wait := patience
	for n := 1; ; n++ {
		err := d.attempt(ctx)
		if err == nil {
			break
		}
		if errors.Is(err, errFinal) || ctx.Err() != nil || n == attempts {
			return fmt.Errorf("downloading from %s: %w", d.request.URL.Host, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("downloading from %s: %w", d.request.URL.Host, context.Cause(ctx))
		case <-time.After(wait):
			wait *= 2
		}
	}
	if err := checkSum(d.to+".part", d.sum); err != nil {
		return err
	}
	return os.Rename(d.to+".part", d.to)
}

// attempt goes on from where the last one came to.
func (d download) attempt(ctx context.Context) error {
	part, err := os.OpenFile(d.to+".part", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer part.Close()
	info, err := part.Stat()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer timer.Stop()

	request := d.request.Clone(ctx)
	if info.Size() > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", info.Size()))
	}
	response, err := d.client.RoundTrip(request)
	if err != nil {
		return orCause(ctx, err)
	}
	defer response.Body.Close()
	if done, err := d.begin(part, info.Size(), response); done || err != nil {
		return err
	}
	_, err = io.Copy(part, io.LimitReader(&watched{response.Body, timer}, mostOfFile))
	return orCause(ctx, errors.Join(err, part.Close()))
}

// begin makes the part ready for what a response has in its body. It is done if there is nothing to add.
func (d download) begin(part *os.File, have int64, response *http.Response) (done bool, err error) {
	switch status := response.StatusCode; {
	case status == http.StatusOK:
		return false, part.Truncate(0) // the server does not know ranges, or nothing was there yet
	case status == http.StatusPartialContent:
		var from int64
		if _, err := fmt.Sscanf(response.Header.Get("Content-Range"), "bytes %d-", &from); err != nil || from != have {
			return false, errors.Join(fmt.Errorf("asked for bytes from %d on, got %q", have, response.Header.Get("Content-Range")), part.Truncate(0))
		}
		return false, nil
	case status == http.StatusRequestedRangeNotSatisfiable && have > 0:
		if response.Header.Get("Content-Range") == fmt.Sprintf("bytes */%d", have) {
			return true, nil // all of it is there
		}
		return false, errors.Join(errors.New("what was there is no part of the file"), part.Truncate(0))
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
		return false, fmt.Errorf("%w: %s", errFinal, response.Status)
	default:
		return false, errors.New(response.Status)
	}
}

// watched puts off a timer with each byte that comes.
type watched struct {
	io.Reader
	timer *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.timer.Reset(stall)
	}
	return n, err
}

// orCause says why a context ended, rather than that it did.
func orCause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
