package keyserver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAKeyDoesWhatItsClientMay(t *testing.T) {
	s := &Server{}
	s.Add("shop", "one")
	s.Add("other", "theirs")
	one, two, three, theirs := Digest("one"), Digest("two"), Digest("three"), Digest("theirs")
	for _, c := range []struct {
		key, request string
		status       int
		body         string
	}{
		{"one", "GET /whoami", http.StatusOK, `{"client":"shop"}`},
		{"", "GET /whoami", http.StatusUnauthorized, "no such key"},
		{"two", "GET /whoami", http.StatusUnauthorized, "no such key"},
		{"one", "GET /keys", http.StatusOK, one},
		{"one", "PUT /keys/two", http.StatusBadRequest, "no SHA-256"},
		{"one", "PUT /keys/" + two, http.StatusOK, "shop"},
		{"one", "PUT /keys/" + two, http.StatusOK, "shop"},
		{"two", "GET /keys", http.StatusOK, `["` + one + `","` + two + `"]`},
		{"one", "PUT /keys/" + three, http.StatusConflict, "too many"},
		{"one", "DELETE /keys/" + theirs, http.StatusOK, "shop"},
		{"theirs", "GET /whoami", http.StatusOK, `{"client":"other"}`},
		{"two", "DELETE /keys/" + one, http.StatusOK, "shop"},
		{"two", "DELETE /keys/" + one, http.StatusOK, "shop"},
		{"one", "GET /whoami", http.StatusUnauthorized, "no such key"},
		{"two", "PUT /keys/" + three, http.StatusOK, "shop"},
		{"two", "GET /nothing", http.StatusNotFound, ""},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		q := httptest.NewRequest(method, path, nil)
		q.Header.Set("Authorization", "Bearer "+c.key)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, q)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s with %q: %d %s", c.request, c.key, w.Code, w.Body)
		}
	}
	if s.Refused() != 3 || !s.Accepts("shop", "three") || s.Accepts("other", "three") {
		t.Errorf("%d refused; the keys are %s", s.Refused(), s.State())
	}
}
