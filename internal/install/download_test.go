package install

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ulikunitz/xz"
)

func TestMain(m *testing.M) {
	patience = time.Millisecond
	os.Exit(m.Run())
}

// A flaky server serves a file and breaks each answer off after some bytes, 0 for not. It notes the ranges asked for.
type flaky struct {
	content  []byte
	breaks   []int
	noRanges bool
	ranges   []string
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.ranges = append(f.ranges, r.Header.Get("Range"))
	if f.noRanges {
		r.Header.Del("Range")
	}
	if len(f.breaks) > 0 && f.breaks[0] > 0 {
		w = &breaking{w, f.breaks[0]}
	}
	if len(f.breaks) > 0 {
		f.breaks = f.breaks[1:]
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}

// breaking ends the connection in the middle of a body.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	n, err := b.ResponseWriter.Write(p[:min(b.left, len(p))])
	if b.left -= n; b.left == 0 && err == nil {
		b.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func (b *breaking) Flush() { b.ResponseWriter.(http.Flusher).Flush() }

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

func noise(n int) []byte {
	content, random := make([]byte, n), rand.NewChaCha8([32]byte{1})
	random.Read(content)
	return content
}

// get downloads what a handler serves into a folder.
func get(t *testing.T, ctx context.Context, h http.Handler, folder, sum string) (string, error) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	request, err := http.NewRequest(http.MethodGet, server.URL+"/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(folder, "file")
	return to, download{client: http.DefaultTransport, request: request, to: to, sum: sum}.do(ctx)
}

func TestADownloadGoesOnWhereItBroke(t *testing.T) {
	content := noise(100_000)
	f := &flaky{content: content, breaks: []int{40_000, 20_000, 0}}
	path, err := get(t, t.Context(), f, t.TempDir(), sum(content))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came, of %d (%v)", len(got), len(content), err)
	}
	if want := []string{"", "bytes=40000-", "bytes=60000-"}; !slices.Equal(f.ranges, want) {
		t.Errorf("asked for %q, want %q", f.ranges, want)
	}
}

func TestADownloadGoesOnInAnotherProcess(t *testing.T) {
	content, folder := noise(100_000), t.TempDir()
	for name, have := range map[string]int{"a part": 60_000, "all of it": 100_000} {
		if err := os.WriteFile(filepath.Join(folder, "file.part"), content[:have], 0o600); err != nil {
			t.Fatal(err)
		}
		f := &flaky{content: content}
		if _, err := get(t, t.Context(), f, folder, sum(content)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want := "bytes=" + strconv.Itoa(have) + "-"; f.ranges[0] != want {
			t.Errorf("%s: asked for %q", name, f.ranges)
		}
	}
}

func TestADownloadFromAServerWithoutRangesStartsAnew(t *testing.T) {
	content := noise(100_000)
	f := &flaky{content: content, breaks: []int{40_000, 0}, noRanges: true}
	path, err := get(t, t.Context(), f, t.TempDir(), sum(content))
	if got, _ := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came, of %d (%v)", len(got), len(content), err)
	}
}

func TestAWrongSumLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	_, err := get(t, t.Context(), &flaky{content: noise(1000)}, folder, sum([]byte("something else")))
	if err == nil || !strings.Contains(err.Error(), "not the pinned") {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestWhatIsNotThereIsNotAskedForAgain(t *testing.T) {
	asked := 0
	gone := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; w.WriteHeader(http.StatusNotFound) })
	if _, err := get(t, t.Context(), gone, t.TempDir(), sum(nil)); err == nil || asked != 1 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	asked = 0
	busy := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; w.WriteHeader(http.StatusServiceUnavailable) })
	if _, err := get(t, t.Context(), busy, t.TempDir(), sum(nil)); err == nil || asked != attempts {
		t.Errorf("asked a busy server %d times, %v", asked, err)
	}
}

func TestADownloadThatStallsIsTriedAgain(t *testing.T) {
	defer func(d time.Duration) { stall = d }(stall)
	stall = 300 * time.Millisecond
	content := noise(1000)
	asked := 0
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			<-r.Context().Done()
			return
		}
		w.Write(content)
	})
	if _, err := get(t, t.Context(), h, t.TempDir(), sum(content)); err != nil || asked < 2 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

func TestADownloadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if _, err := get(t, ctx, h, t.TempDir(), sum(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// jar is an archive as PostgreSQL's builds come in: a compressed tar in a zip.
func jar(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var packed, whole bytes.Buffer
	compress, err := xz.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(compress)
	for name, text := range files {
		err = errors.Join(err, archive.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}))
		_, err2 := archive.Write([]byte(text))
		err = errors.Join(err, err2)
	}
	out := zip.NewWriter(&whole)
	member, err2 := out.Create("postgres-linux-x86_64.txz")
	err = errors.Join(err, err2, archive.Close(), compress.Close())
	_, err2 = packed.WriteTo(member)
	if err := errors.Join(err, err2, out.Close()); err != nil {
		t.Fatal(err)
	}
	return whole.Bytes()
}

func TestPostgreSQLComesByTheLibrarysOwnRequest(t *testing.T) {
	content := jar(t, map[string]string{
		"bin/postgres": "#!/bin/sh\necho 'postgres (PostgreSQL) 97.3'\n",
		"bin/initdb":   "#!/bin/sh\necho run >>ran\n",
	})
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	defer server.Close()
	t.Setenv("ROTOR_MAVEN", server.URL+"/maven/")
	before := http.DefaultTransport

	r := recipe{"postgres-97", map[string]source{platform: embedded{"97.3.0", sum(content)}}}
	if why := r.sources[platform].lacks(); why != "" {
		t.Skip(why)
	}
	s, err := r.fetch(t.Context(), t.TempDir(), quiet)
	if err != nil || s.Version != "97.3" {
		t.Fatalf("%+v, %v", s, err)
	}
	if len(paths) != 1 || !strings.HasPrefix(paths[0], "/maven/io/zonky/test/postgres/embedded-postgres-binaries-") || !strings.HasSuffix(paths[0], "-97.3.0.jar") {
		t.Errorf("asked for %q", paths)
	}
	if http.DefaultTransport != before {
		t.Error("the default transport is still ours")
	}

	r = recipe{"postgres-97", map[string]source{platform: embedded{"97.3.0", sum(nil)}}}
	cache := t.TempDir()
	if _, err := r.fetch(t.Context(), cache, quiet); err == nil || !strings.Contains(err.Error(), "not the pinned") {
		t.Errorf("a wrong sum: %v", err)
	}
	if found, _ := filepath.Glob(filepath.Join(cache, ".fetch/postgres-97/*.jar*")); len(found) > 0 {
		t.Errorf("a wrong sum leaves %v", found)
	}
	server.Close()
	if _, err := r.fetch(t.Context(), cache, quiet); err == nil {
		t.Error("no error without a server")
	}
}
