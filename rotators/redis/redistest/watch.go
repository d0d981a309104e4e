package redistest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A watcher makes a log of what a node does: the commands that MONITOR shows,
// and how many logins INFO counts. It is at the server's first node.
type watcher struct {
	servertest.MemoryLog
	mu       sync.Mutex
	asking   redis.Conn
	seeing   redis.Conn
	accepted int
	refused  int
	echoed   chan string
}

func watch(ctx context.Context, s *Server) (w *watcher, err error) {
	w = &watcher{echoed: make(chan string, 1)}
	if w.asking, err = s.Connect(ctx, s.Port, s.AdminUser, s.AdminPassword); err != nil {
		return nil, err
	}
	if w.seeing, err = s.Connect(ctx, s.Port, s.AdminUser, s.AdminPassword); err != nil {
		return nil, err
	}
	if _, err = w.seeing.Do("MONITOR"); err != nil {
		return nil, err
	}
	w.accepted, w.refused, err = w.count()
	go w.see()
	return w, err
}

// mark begins the text by which the watcher finds its own commands again.
const mark = "redistest-"

func (w *watcher) see() {
	for {
		line, err := redis.String(redis.ReceiveWithTimeout(w.seeing, 24*time.Hour))
		if err != nil {
			close(w.echoed)
			return
		}
		if _, after, own := strings.Cut(line, mark); own {
			w.echoed <- strings.TrimRight(after, `"`)
			continue
		}
		if strings.Contains(line, `"INFO" "commandstats"`) {
			continue
		}
		w.Addf("%s", line)
	}
}

// count asks for the logins so far. AUTH that fails is a refused one.
func (w *watcher) count() (accepted, refused int, err error) {
	info, err := redis.String(w.asking.Do("INFO", "commandstats"))
	for line := range strings.Lines(info) {
		var calls, failed int
		if fields, ok := strings.CutPrefix(line, "cmdstat_auth:"); ok {
			for f := range strings.SplitSeq(strings.TrimSpace(fields), ",") {
				_, _ = fmt.Sscanf(f, "calls=%d", &calls)
				_, _ = fmt.Sscanf(f, "failed_calls=%d", &failed)
			}
			return calls - failed, failed, err
		}
	}
	return 0, 0, err
}

// settle adds what happened up to now.
func (w *watcher) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := rand.Text()
	if _, err := w.asking.Do("ECHO", mark+text); err != nil {
		return // it has ended, and the log with it
	}
	for seen := range w.echoed {
		if seen == text {
			break
		}
	}
	accepted, refused, err := w.count()
	if err != nil {
		return
	}
	for range accepted - w.accepted {
		w.Addf("%sAUTH", servertest.LoginAccepted)
	}
	for range refused - w.refused {
		w.Addf("%sAUTH", servertest.LoginRefused)
	}
	w.accepted, w.refused = accepted, refused
}

// Size implements servertest.Journal.
func (w *watcher) Size() int { w.settle(); return w.MemoryLog.Size() }

// Since implements servertest.Journal.
func (w *watcher) Since(offset int) string { w.settle(); return w.MemoryLog.Since(offset) }

func (w *watcher) close() {
	_ = w.asking.Close()
	_ = w.seeing.Close()
}
